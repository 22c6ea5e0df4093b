import { byCodeUnit } from '../../base/order.ts'
import { Turns } from '../../base/turns.ts'
import { examine } from './examine.ts'
import type { MirrorFault } from './faults.ts'
import { parseList, requireList, SUMS } from './list.ts'
import { openMirrorFolder } from './open.ts'

/** What checking a mirror found. */
export interface MirrorCheck {
  /** Files that were read and are as listed. */
  readonly whole: number
  /** Of the list's lines, then of files in the order of names, then what no line names. */
  readonly faults: readonly MirrorFault[]
}

/**
 * Reads every file of a mirror and compares it with the list. A mirror may come from anywhere: no
 * link in it is followed, nothing is written, and a fault does not end the check. Fails with
 * `no-mirror-list`, or with `mirror-entry` when the list is no regular file or too large.
 */
export async function checkMirror(path: string, signal: AbortSignal): Promise<MirrorCheck> {
  const folder = openMirrorFolder(path)
  try {
    const turns = new Turns(signal)
    const { sums, faults } = parseList((await requireList(folder)).toString())
    const all: MirrorFault[] = [...faults]
    const files = [...sums].sort(([a], [b]) => byCodeUnit(a, b))
    for (const [name, digest] of files) {
      const fault = await examine(folder, { name, digest }, turns)
      if (fault !== undefined) all.push(fault)
      await turns.pass()
    }
    const whole = files.length - (all.length - faults.length)
    const unlisted = folder
      .names()
      .map((name) => name.toString())
      .filter((name) => name !== SUMS && !sums.has(name))
      .sort(byCodeUnit)
    for (const name of unlisted) all.push({ kind: 'unlisted', path: name })
    return { whole, faults: all }
  } finally {
    folder.close()
  }
}
