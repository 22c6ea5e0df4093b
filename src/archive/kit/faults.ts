import type { Digest } from '../../base/digest.ts'
import { describeFileFault, type FileFault } from '../../base/file-fault.ts'

/**
 * What is wrong with one file of a kit, or with one line of its lists. Paths are relative to the
 * kit. They come from the kit, so they may hold anything.
 */
export type Fault =
  | FileFault
  /** Its SHA-256 is listed and its SHA-512 is not, or the reverse. */
  | { readonly kind: 'half-listed'; readonly path: string; readonly list: string }
  /** A line of a list is no digest with a path. */
  | { readonly kind: 'garbled'; readonly path: string; readonly line: number }
  /** A line of a list names a path that may lead out of the kit. */
  | { readonly kind: 'unsafe'; readonly path: string; readonly line: number }
  /** A list names a path again. */
  | { readonly kind: 'repeated'; readonly path: string; readonly line: number }
  /** The parity is as its list says, and would not repair this kit. */
  | { readonly kind: 'useless'; readonly path: string; readonly reason: string }
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

const NO_LIST = { empty: 'it is empty', 'too-large': 'it is too large' }

/** One line about a fault, for people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'half-listed':
      return `half listed  ${fault.path}: not in ${fault.list}`
    case 'garbled':
      return `garbled      ${fault.path}:${fault.line}: no digest with a path`
    case 'unsafe':
      return `unsafe       ${fault.path}:${fault.line}: the path may lead out of the kit`
    case 'repeated':
      return `repeated     ${fault.path}:${fault.line}: the path is listed before`
    case 'useless':
      return `useless      ${fault.path}: ${fault.reason}`
    case 'no-list':
      return `no list      ${fault.path}: ${NO_LIST[fault.reason]}`
    default:
      return describeFileFault(fault)
  }
}
