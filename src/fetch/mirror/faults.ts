import type { Digest } from '../../base/digest.ts'
import { describeFileFault, type FileFault } from '../../base/file-fault.ts'
import type { LineFault } from './list.ts'

/**
 * What is wrong with a file of a mirror, or with a line of its list. Paths are relative to the
 * mirror; they come from there, so they may hold anything.
 */
export type MirrorFault = FileFault<Digest> | LineFault

/** One line about a fault, for people, in the form of those of kits. */
export function describeMirrorFault(fault: MirrorFault): string {
  switch (fault.kind) {
    case 'garbled':
      return `garbled      ${fault.path}:${fault.line}: no digest with a name`
    case 'unsafe':
      return `unsafe       ${fault.path}:${fault.line}: no file may have the name "${fault.name}"`
    case 'repeated':
      return `repeated     ${fault.path}:${fault.line}: the name has another digest before`
    default:
      return describeFileFault(fault)
  }
}
