import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { exists, explainDiskFull, makeFolder, syncPath } from '../../base/files.ts'
import { copyBeneath } from '../../base/put-file.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { explainSystemError } from '../../base/system-error.ts'
import { Turns } from '../../base/turns.ts'
import { carryOut, type Work } from './carry-out.ts'
import { digestsBelow, isWanted } from './digests.ts'
import { isParityMadeAgain, makeParityAgain } from './parity-again.ts'
import { treeBelow } from './tree.ts'
import { KIT } from '../kit/layout.ts'

/**
 * Makes a whole kit beside a damaged one, which is only read: copies what is right, and makes the
 * rest. It has its name only when all of it is right.
 */
export async function copyWhole(work: Work, to: string, signal: AbortSignal): Promise<void> {
  const part = `${to}.part`
  if (await exists(part))
    throw new FixpointError('kit-there', `Cannot make a kit in "${part}": something is there`)
  await makeFolder(dirname(part))
  await mkdir(part)
  try {
    await carryOut(work, part, signal)
    for (const path of pathsToCopy(work)) await copyOne(work, path, part, signal)
    if (isParityMadeAgain(work.plan)) {
      await makeParityAgain(part, work.known, part, signal)
      await removeTree(join(part, '.parity'))
    }
    await rename(part, to)
    await syncPath(dirname(to))
  } catch (error) {
    await removeTree(part)
    throw explainSystemError(explainDiskFull(error, part))
  }
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
