import { join, resolve } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { exists } from '../../base/files.ts'
import { copyBeneath } from '../../base/put-file.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { Turns } from '../../base/turns.ts'
import { carryOut, type Work } from './carry-out.ts'
import { digestsBelow, isWanted } from './digests.ts'
import { isParityMadeAgain, makeParityAgain } from './parity-again.ts'
import { treeBelow } from './tree.ts'
import { KIT } from '../kit/layout.ts'
import { makeAlone } from '../make-alone.ts'

/**
 * Makes a whole kit beside a damaged one, which is only read: copies what is right, and makes the
 * rest. It has its name only when all of it is right. Fails as {@link carryOut} and
 * {@link makeAlone} do, and with `kit-there`.
 */
export async function copyWhole(work: Work, to: string, signal: AbortSignal): Promise<void> {
  const check = (): Promise<void> => requireNone(to)
  await makeAlone(resolve(to), { signal, check }, async (part) => {
    await carryOut(work, part, signal)
    for (const path of pathsToCopy(work)) await copyOne(work, path, part, signal)
    if (isParityMadeAgain(work.plan)) {
      await makeParityAgain(part, work.known, part, signal)
      await removeTree(join(part, '.parity'))
    }
  })
}

/** Fails with `kit-there` when something is at `to`. */
export async function requireNone(to: string): Promise<void> {
  if (await exists(to))
    throw new FixpointError('kit-there', `Cannot put a kit to "${to}": something is there`)
}

/** What is right in the kit; and files that no digest is known of, as the log of checks. */
function pathsToCopy({ kit, plan, wanted }: Work): string[] {
  const made = new Set(plan.steps.map(({ path }) => path))
  return treeBelow(kit).flatMap(({ path, size }) => {
    const isKept =
      wanted.has(path) ||
      path.startsWith(`${KIT.checks}/`) ||
      path.startsWith(`${KIT.tagManifest}.sig`) ||
      path.startsWith(`${KIT.parity}/`)
    const isParity = path.startsWith(`${KIT.parity}/`) && isParityMadeAgain(plan)
    return size === undefined || made.has(path) || !isKept || isParity ? [] : [path]
  })
}

async function copyOne(work: Work, path: string, part: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await copyBeneath(work.kit, path, part, path)
  const wanted = work.wanted.get(path)
  const found = await digestsBelow({ root: part, path }, new Turns(signal))
  if (wanted === undefined || (typeof found !== 'string' && isWanted(wanted, found))) return
  throw new FixpointError(
    'kit-beyond-repair',
    `Cannot copy "${path}" of "${work.kit}": it changed meanwhile`,
  )
}
