import { mkdir } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import { diskFull, explainDiskFull, freeBytes } from '../../base/files.ts'
import { moveBeneath } from '../../base/put-file.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { Turns } from '../../base/turns.ts'
import type { FilesBelow } from '../par2/files-below.ts'
import { repairWithParity } from '../par2/repair.ts'
import { digestsBelow, isWanted, type Wanted } from './digests.ts'
import type { Offers } from './find-offers.ts'
import type { Known } from './known.ts'
import type { RepairPlan } from './plan.ts'

/** What a repair works with. */
export interface Work {
  readonly kit: string
  readonly known: Known
  readonly wanted: ReadonlyMap<string, Wanted>
  readonly offers: Offers
  /** Parity files of the kit itself. */
  readonly own: FilesBelow
  /** Files that may hold blocks. */
  readonly extra: readonly FilesBelow[]
  readonly plan: RepairPlan
}

/**
 * Makes the new files of a plan below `scratch`, under their paths in the kit, and compares their
 * digests; not those of parity that is made again. Resolves with the paths. Fails with `disk-full`,
 * or `kit-beyond-repair` for a wrong digest.
 */
export async function carryOut(
  work: Work,
  scratch: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { plan, offers, wanted } = work
  const turns = new Turns(signal)
  const made: string[] = []
  const bytes = plan.steps.reduce((sum, { path }) => sum + (wanted.get(path)?.size ?? 0), 0)
  if (bytes > (await freeBytes(scratch))) throw diskFull(scratch)
  try {
    for (const { path } of plan.steps) {
      signal.throwIfAborted()
      const offer = offers.found.get(path)
      if (offer === undefined) continue
      await offer.copy(scratch, path)
      made.push(path)
    }
    made.push(...(await rebuildBlocks(work, made, scratch, signal)))
    for (const path of made) await requireRight(scratch, wanted.get(path), turns)
  } catch (error) {
    throw explainDiskFull(error, scratch)
  }
  return made
}

/** Lets parity rebuild what is left. Files that were made already give blocks as well. */
async function rebuildBlocks(
  { kit, plan, own, extra }: Work,
  made: readonly string[],
  scratch: string,
  signal: AbortSignal,
): Promise<string[]> {
  const paths = plan.steps.flatMap(({ path, means }) =>
    means === 'parity' || means === 'merge' ? [path] : [],
  )
  if (paths.length === 0) return []
  const into = `${scratch}/.rebuilt`
  await mkdir(into)
  const isRebuilt = new Set(paths)
  await repairWithParity({
    root: kit,
    parity: own,
    extra: [{ root: scratch, paths: made }, ...extra],
    into,
    isWanted: (name) => isRebuilt.has(name),
    signal,
  })
  for (const path of paths) await moveBeneath(into, path, scratch)
  await removeTree(into)
  return paths
}

async function requireRight(
  scratch: string,
  wanted: Wanted | undefined,
  turns: Turns,
): Promise<void> {
  if (wanted === undefined) return
  const found = await digestsBelow({ root: scratch, path: wanted.path }, turns)
  if (typeof found !== 'string' && isWanted(wanted, found)) return
  throw new FixpointError(
    'kit-beyond-repair',
    `Cannot repair "${wanted.path}": what was made of it has another digest`,
  )
}
