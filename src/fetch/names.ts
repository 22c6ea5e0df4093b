import type { FileSource } from '../metadata/model.ts'
import {
  fileNameOf,
  isFileName,
  parsePlace,
  type ParsedPlace,
} from '../metadata/format/source-places.ts'
import type { FetchStore } from './ports.ts'

/**
 * Names that a mirror may keep a source under, best first: its digest, its name, the names it has
 * at its places.
 */
export function mirrorNames(source: FileSource): readonly string[] {
  const names = [source.sha256, source.name, ...placesOf(source).map(fileNameOf)]
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

/**
 * What a place says of which file it holds: the file's name there. Where an address has no digit in
 * that, as in `v1.2/source.tar.gz` or `get?file=a-1.2`, it is all from the last component with one:
 * the version is there.
 */
export function placeClaim(place: ParsedPlace): string {
  const name = fileNameOf(place)
  if (place.kind !== 'address' || hasDigit(name)) return name
  const parts = decode(place.url.pathname + place.url.search).split('/')
  const at = parts.findLastIndex(hasDigit)
  return at === -1 ? name : parts.slice(at).join('/')
}

/** Formats of compression have digits that are of no version. */
function hasDigit(name: string): boolean {
  return /\d/.test(name.replace(/\.(bz2|lz4|7z)$/, ''))
}

/** As it is where its percent signs stand for no text. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function placesOf(source: FileSource): ParsedPlace[] {
  return source.from.map(parsePlace).filter((place) => place !== undefined)
}

/**
 * True when the source's digest was found right under a name that the recipe gives it. A store that
 * knows no name, since an earlier engine filled it or a mirror has the file by its digest, is
 * believed this once.
 */
export function isNamed(source: FileSource, store: FetchStore): boolean {
  const noted = store.sources.names(source.sha256)
  const claimed = claimedNames(source)
  if (noted.length === 0) store.sources.noteNames(source.sha256, claimed)
  return noted.length === 0 || claimed.some((name) => noted.includes(name))
}
