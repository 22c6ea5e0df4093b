import type { FileSource } from '../metadata/model.ts'
import { isFileName } from '../metadata/format/source-places.ts'
import { parsePlace, placeClaim, placeFileName, type ParsedPlace } from './place.ts'

/**
 * Names that a mirror may keep a source under, best first: its digest, its name, the names it has
 * at its places.
 */
export function mirrorNames(source: FileSource): readonly string[] {
  const names = [source.sha256, source.name, ...placesOf(source).map(placeFileName)]
  return [...new Set(names)].filter(isFileName)
}

/**
 * Names that say which file the recipe means: those at its places, which change with its version.
 * Its own `name` only where it has no place: as `name: linux.tar`, that stays the same for every
 * version.
 */
export function claimedNames(source: FileSource): readonly string[] {
  const claims = placesOf(source)
    .map(placeClaim)
    .filter((name) => name !== '')
  return claims.length > 0 ? [...new Set(claims)] : [source.name]
}

/**
 * The name that a file of a mirror is known by; undefined where its name there says nothing: its
 * digest, say.
 */
export function provenName(source: FileSource, name: string): string | undefined {
  return claimedNames(source).includes(name) || !mirrorNames(source).includes(name)
    ? name
    : undefined
}

function placesOf(source: FileSource): ParsedPlace[] {
  return source.from.map(parsePlace).filter((place) => place !== undefined)
}
