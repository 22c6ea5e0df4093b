/** A place of a recipe's `from:`, taken apart. */
export type ParsedPlace =
  | { readonly kind: 'debian'; readonly package: string; readonly file: string }
  | { readonly kind: 'npm'; readonly name: string; readonly version: string }
  | { readonly kind: 'address'; readonly url: URL }
  | { readonly kind: 'file'; readonly path: string }

const DEBIAN = /^debian:([a-z0-9][a-z0-9+.-]*)\/([^/]+)$/
const NPM = /^npm:((?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*)@([A-Za-z0-9][\w.+-]*)$/
// A backslash would count as a slash there.
const ADDRESS = /^https?:\/\/[^\s\\\u0000-\u001f\u007f-\u009f]+$/
// Two slashes more are an empty host; a host is no part of the format.
const FILE = /^file:(?:\/\/(?=\/))?(\/(?!\/)[^\0]*)$/

/**
 * Takes a place apart: `debian:PACKAGE/FILE`, `npm:NAME@VERSION`, `https://…`, `http://…` or
 * `file:/ABSOLUTE`; undefined for anything else. What the file is called there is
 * {@link fileNameOf}'s.
 */
export function parsePlace(place: string): ParsedPlace | undefined {
  const debian = DEBIAN.exec(place)
  if (debian?.[1] !== undefined && debian[2] !== undefined)
    return { kind: 'debian', package: debian[1], file: debian[2] }
  const npm = NPM.exec(place)
  if (npm?.[1] !== undefined && npm[2] !== undefined)
    return { kind: 'npm', name: npm[1], version: npm[2] }
  if (ADDRESS.test(place) && URL.canParse(place)) return { kind: 'address', url: new URL(place) }
  const path = filePath(place)
  return path === undefined ? undefined : { kind: 'file', path }
}

/**
 * Path of `file:/ABSOLUTE` or `file:///ABSOLUTE`, taken as written (no percent signs decoded);
 * undefined for anything else.
 */
export function filePath(text: string): string | undefined {
  return FILE.exec(text)?.[1]
}

/** Whether an address of any scheme, with templates or without, has a user name or password. */
export function hasCredentials(address: string): boolean {
  return /^\s*[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(address)
}

/**
 * Name of the file at a place: its last component, in addresses with percent signs decoded, for npm
 * `NAME-VERSION.tgz`. May be anything that a place can hold: {@link isFileName} says whether it can
 * be used.
 */
export function fileNameOf(place: ParsedPlace): string {
  switch (place.kind) {
    case 'debian':
      return place.file
    case 'npm':
      return `${place.name.slice(place.name.indexOf('/') + 1)}-${place.version}.tgz`
    case 'address':
      return decoded(lastOf(place.url.pathname))
    case 'file':
      return lastOf(place.path)
  }
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Without percent signs; empty when they stand for no text. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/**
 * True for a name that a file in the sandbox may have: one component of a path without control
 * characters.
 */
export function isFileName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\u0000-\u001f\u007f-\u009f]/.test(name) &&
    Buffer.byteLength(name) <= 255
  )
}

/**
 * Longest path below another folder, bytes: far below the kernel's limit, whatever comes in front.
 */
export const MAX_PATH = 1024

/** True for a folder below another: `.`, or components without `..`, in their shortest form. */
export function isInnerFolder(path: string): boolean {
  return path === '.' || isInnerPath(path)
}

/** True for something in a folder: components without `..`, in their shortest form. */
export function isInnerPath(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_PATH && path.split('/').every(isFileName)
}

/**
 * Why a source of that digest may not have the name, or undefined: a mirror lists its files in
 * SHA256SUMS, on disks whose names know no case too, and calls files by their digests.
 */
export function reservedName(name: string, digest: string | undefined): string | undefined {
  if (name.toUpperCase() === 'SHA256SUMS') return 'mirrors list their files under that name'
  if (/^[0-9a-f]{64}$/.test(name) && name !== digest) return 'it is the digest of another file'
  return undefined
}
