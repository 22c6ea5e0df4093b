import { digestOf } from './digest.ts'

let count = 0

/**
 * Name of what is made beside its place, and renamed. By default it is new each time, in whatever
 * process. That of an `owner` is always the same: who knows that no other run of that owner is
 * under way, as by a lock, finds what a killed one left. No user has a file of such a name.
 */
export function partName(owner?: string): string {
  return `.fixpoint-${digestOf(owner ?? newOwner()).slice(0, 16)}.part`
}

/** Processes that see one folder may have the same number, but have not begun at the same time. */
function newOwner(): string {
  return ['part', process.pid, performance.timeOrigin, count++].join('\0')
}
