import type { Digest } from '../../base/digest.ts'
import type { LineFault } from './list.ts'

/**
 * What is wrong with a file of a mirror, or with a line of its list. Paths are relative to the
 * mirror; they come from there, so they may hold anything.
 */
export type MirrorFault =
  | LineFault
  | {
      readonly kind: 'bad'
      readonly path: string
      readonly wanted: Digest
      readonly found: Digest
    }
  | { readonly kind: 'missing'; readonly path: string }
  /** A link, folder, pipe or device. */
  | { readonly kind: 'not-a-file'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  /** It is there, and the list does not name it. */
  | { readonly kind: 'unlisted'; readonly path: string }

/** One line about a fault, for people, in the form of those of kits. */
export function describeMirrorFault(fault: MirrorFault): string {
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
    case 'garbled':
      return `garbled      ${fault.path}:${fault.line}: no digest with a name`
    case 'unsafe':
      return `unsafe       ${fault.path}:${fault.line}: no file may have the name "${fault.name}"`
    case 'repeated':
      return `repeated     ${fault.path}:${fault.line}: the name has another digest before`
  }
}
