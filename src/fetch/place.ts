import { basename } from 'node:path'
import type { SourcePlace } from '../metadata/model.ts'

/** A place of a recipe's `from:`, taken apart. */
export type ParsedPlace =
  | { readonly kind: 'debian'; readonly package: string; readonly file: string }
  | { readonly kind: 'npm'; readonly name: string; readonly version: string }
  | { readonly kind: 'address'; readonly url: URL }
  | { readonly kind: 'file'; readonly path: string }

/**
 * Takes a place apart: `debian:PACKAGE/FILE`, `npm:NAME@VERSION`, `https://…`, `http://…` or
 * `file:/ABSOLUTE`; undefined for anything else.
 */
export function parsePlace(place: SourcePlace): ParsedPlace | undefined {
  const debian = /^debian:([a-z0-9][a-z0-9+.-]*)\/([^/]+)$/.exec(place)
  if (debian?.[1] !== undefined && debian[2] !== undefined)
    return { kind: 'debian', package: debian[1], file: debian[2] }
  const npm = /^npm:((?:@[^/@\s]+\/)?[^/@\s]+)@([^/@\s]+)$/.exec(place)
  if (npm?.[1] !== undefined && npm[2] !== undefined)
    return { kind: 'npm', name: npm[1], version: npm[2] }
  if (isAddress(place))
    return URL.canParse(place) ? { kind: 'address', url: new URL(place) } : undefined
  const path = filePath(place)
  return path === undefined ? undefined : { kind: 'file', path }
}

/** True for a text that starts like an HTTP address. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/**
 * Path of `file:/ABSOLUTE` or `file:///ABSOLUTE`, taken as written (no percent signs decoded);
 * undefined for anything else.
 */
export function filePath(text: string): string | undefined {
  return /^file:(?:\/\/)?(\/.*)$/.exec(text)?.[1]
}

/** The file's name at its place: the last component, or for npm the tarball's name. */
export function placeFileName(place: ParsedPlace): string {
  switch (place.kind) {
    case 'debian':
      return place.file
    case 'npm':
      return npmFileName(place.name, place.version)
    case 'address':
      return decode(basename(place.url.pathname))
    case 'file':
      return basename(place.path)
  }
}

/**
 * What a place says of which file it holds: the file's name there. Where an address has no digit in
 * that, as in `v1.2/source.tar.gz` or `get?file=a-1.2`, it is all from the last component with one:
 * the version is there.
 */
export function placeClaim(place: ParsedPlace): string {
  const name = placeFileName(place)
  if (place.kind !== 'address' || hasDigit(name)) return name
  const parts = decode(place.url.pathname + place.url.search).split('/')
  const at = parts.findLastIndex(hasDigit)
  return at === -1 ? name : parts.slice(at).join('/')
}

/** Formats of compression have digits that are of no version. */
function hasDigit(name: string): boolean {
  return /\d/.test(name.replace(/\.(bz2|lz4|7z)$/, ''))
}

/**
 * Address or `file:` path of a file in a Debian archive's pool:
 * `BASE/pool/main/PREFIX/PACKAGE/FILE`, where the prefix is the package's first letter, or `lib`
 * and a letter. Debian's security archive keeps its pool below `pool/updates`.
 */
export function debianAddress(base: string, name: string, file: string): string {
  const prefix = name.startsWith('lib') ? name.slice(0, 4) : name.slice(0, 1)
  const pool = /\/debian-security\/*$/.test(base) ? 'pool/updates/main' : 'pool/main'
  return join(base, `${pool}/${prefix}/${encodeIn(base, name)}/${encodeIn(base, file)}`)
}

/** Address of a package's tarball in an npm registry: `ADDRESS/NAME/-/BASENAME-VERSION.tgz`. */
export function npmAddress(registry: string, name: string, version: string): string {
  return join(registry, `${name}/-/${encodeURIComponent(npmFileName(name, version))}`)
}

/** Address of a file below a mirror's base address. */
export function mirrorAddress(base: string, file: string): string {
  return join(base, encodeURIComponent(file))
}

/** An address as it may be shown and kept: without user and password. */
export function shownAddress(url: URL): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}

function npmFileName(name: string, version: string): string {
  return `${name.slice(name.indexOf('/') + 1)}-${version}.tgz`
}

function join(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`
}

/** `+` is encoded in addresses: some servers read a bare one as a blank. */
function encodeIn(base: string, component: string): string {
  return isAddress(base) ? encodeURIComponent(component) : component
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
