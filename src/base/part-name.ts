import { digestOf } from './digest.ts'

let count = 0

/**
 * Name of what is made beside its place, and renamed. By default it is new each time, in whatever
 * process. That of an `owner` is always the same: who knows that no other run of that owner is
 * under way, as by a lock, finds what a killed one left. No user has a file of such a name.
 */
export function partName(owner?: string): string {
  return nameOf(digestOf(owner ?? newOwner()).slice(0, 16))
}

/**
 * Like {@link partName}, new each time, but known as one of `host`: whoever knows that nothing of
 * that host is under way finds all that its killed runs left, in a folder that others use, too.
 */
export function hostPartName(host: string): string {
  return nameOf(`${markOf(host)}${digestOf(newOwner()).slice(0, 8)}`)
}

/** Whether a name is one of {@link hostPartName}. */
export function isPartOfHost(name: string, host: string): boolean {
  return PART.exec(name)?.[1] === markOf(host)
}

/** Whether a name is one that this file gives: what has it is not finished, or was left behind. */
export function isPart(name: string): boolean {
  return PART.test(name)
}

const PART = /^\.fixpoint-([0-9a-f]{8})[0-9a-f]{8}\.part$/

function nameOf(digits: string): string {
  return `.fixpoint-${digits}.part`
}

function markOf(host: string): string {
  return digestOf(`host\0${host}`).slice(0, 8)
}

/** Processes that see one folder may have the same number, but have not begun at the same time. */
function newOwner(): string {
  return ['part', process.pid, performance.timeOrigin, count++].join('\0')
}
