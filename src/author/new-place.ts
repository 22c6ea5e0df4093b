import { resolve } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { shownAddress } from '../fetch/addresses.ts'
import {
  fileNameOf,
  hasCredentials,
  isFileName,
  parsePlace,
  type ParsedPlace,
} from '../metadata/format/source-places.ts'
import { namedPackage } from './package-file.ts'

/** A place that a recipe is to name. */
export interface NewPlace {
  /** As in `from:`. */
  readonly written: string
  readonly parsed: ParsedPlace
}

/** What begins like an address, or another place that is no path. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i

/**
 * The place that a user names: as in `from:`, or the path of a file, relative to the working
 * folder. Fails with `source-place`, and with `source-credentials` where it has a user name or
 * password.
 */
export function newPlace(word: string): NewPlace {
  const path = /^file:(?!\/)([^]+)$/.exec(word)?.[1] ?? (SCHEME.test(word) ? undefined : word)
  const written = path === undefined ? word : `file:${resolve(path)}`
  const parsed = parsePlace(written)
  if (parsed === undefined) throw unusable(word, 'it has none of the known forms')
  refuseCredentials(parsed)
  if (!isFileName(fileNameOf(parsed))) throw unusable(word, 'it ends in no name of a file')
  if (written.includes('{{')) throw unusable(word, 'a recipe would take its {{ for a template')
  return { written, parsed }
}

function unusable(word: string, reason: string): FixpointError {
  return new FixpointError('source-place', `Cannot use place "${word}": ${reason}`)
}

function refuseCredentials(place: ParsedPlace): void {
  if (place.kind !== 'address' || !hasCredentials(place.url.href)) return
  throw new FixpointError(
    'source-credentials',
    `Cannot use place "${shownAddress(place.url)}" with the user name or password ` +
      'that was given: all who read the recipe would see it',
  )
}

/**
 * A place for all versions: `{{version}}` stands for the version in the name of the file, and in
 * folders that are the version or have it as a word, such as `v1.2.3` or `foo-1.2.3`.
 */
export function withVersion({ written, parsed }: NewPlace, version: string): string {
  switch (parsed.kind) {
    case 'npm': {
      const name = `npm:${parsed.name}@`
      return parsed.version === version ? `${name}{{version}}` : written
    }
    case 'debian':
      return `debian:${parsed.package}/${inFile(parsed.file, version)}`
    case 'address':
      return inPath(written, ADDRESS, version)
    case 'file':
      return inPath(written, FILE, version)
  }
}

/** What comes before the path, the path, and what comes after it. */
const ADDRESS = /^(https?:\/\/[^/?#]*)([^?#]*)([^]*)$/
const FILE = /^(file:(?:\/\/)?)([^]*)()$/

function inPath(place: string, form: RegExp, version: string): string {
  const [, start = '', path = '', rest = ''] = form.exec(place) ?? []
  const folders = path.split('/')
  const file = folders.pop() ?? ''
  const parts = [...folders.map((name) => inFolder(name, version)), inFile(file, version)]
  return start + parts.join('/') + rest
}

function inFile(name: string, version: string): string {
  const named = namedPackage(name)
  if (named?.version !== version) return name
  return `${name.slice(0, named.at)}{{version}}${name.slice(named.at + version.length)}`
}

function inFolder(name: string, version: string): string {
  const text = version.replace(/[^\w]/g, '\\$&')
  return name.replace(new RegExp(`(?<=(?:^|[-_@])v?)${text}(?=$|[-_@])`, 'g'), '{{version}}')
}
