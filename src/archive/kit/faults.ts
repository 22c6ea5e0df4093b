import type { Digest } from '../../base/digest.ts'

/**
 * What is wrong with one file of a kit, or with one line of its lists. Paths are relative to the
 * kit. They come from the kit, so they may hold anything.
 */
export type Fault =
  /** Its bytes are not those that the list wants. */
  | { readonly kind: 'bad'; readonly path: string; readonly wanted: string; readonly found: string }
  | { readonly kind: 'missing'; readonly path: string }
  /** A link, folder, pipe or device. */
  | { readonly kind: 'not-a-file'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  /** It is there, and no list names it. */
  | { readonly kind: 'unlisted'; readonly path: string }
  /** Its SHA-256 is listed and its SHA-512 is not, or the reverse. */
  | { readonly kind: 'half-listed'; readonly path: string; readonly list: string }
  /** A line of a list is no digest with a path. */
  | { readonly kind: 'garbled'; readonly path: string; readonly line: number }
  /** A line of a list names a path that may lead out of the kit. */
  | { readonly kind: 'unsafe'; readonly path: string; readonly line: number }
  /** A list names a path again. */
  | { readonly kind: 'repeated'; readonly path: string; readonly line: number }
  /** A list without a line, or larger than any list may be. */
  | { readonly kind: 'no-list'; readonly path: string; readonly reason: 'empty' | 'too-large' }

/** What checking a kit found. */
export interface KitCheck {
  /** SHA-256 of the tag manifest as it is; undefined where it cannot be read. */
  readonly id: Digest | undefined
  /** Files that were read and are as listed. */
  readonly whole: number
  /** Bytes that were read. */
  readonly bytes: number
  /** In the order of paths within lists, then what no list names. */
  readonly faults: readonly Fault[]
}

/** One line about a fault, for people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'bad':
      return `bad          ${fault.path}: digest ${fault.found}, listed ${fault.wanted}`
    case 'missing':
      return `missing      ${fault.path}`
    case 'not-a-file':
      return `not a file   ${fault.path}: a link, folder, pipe or device`
    case 'unreadable':
      return `unreadable   ${fault.path}: ${fault.reason}`
    case 'unlisted':
      return `unlisted     ${fault.path}`
    case 'half-listed':
      return `half listed  ${fault.path}: not in ${fault.list}`
    case 'garbled':
      return `garbled      ${fault.path}:${fault.line}: no digest with a path`
    case 'unsafe':
      return `unsafe       ${fault.path}:${fault.line}: the path may lead out of the kit`
    case 'repeated':
      return `repeated     ${fault.path}:${fault.line}: the path is listed before`
    case 'no-list':
      return `no list      ${fault.path}: ${fault.reason === 'empty' ? 'it is empty' : 'it is too large'}`
  }
}
