import { counted } from '../../base/format.ts'
import { mkdir, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { explainDiskFull, flushFileSystem, makeFolder, syncPath } from '../../base/files.ts'
import { copyBeneath } from '../../base/put-file.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { explainSystemError } from '../../base/system-error.ts'
import { treeBelow } from '../repair/tree.ts'
import { checkKit } from './check.ts'
import { requireNothing } from './create.ts'
import { describeFault, type KitCheck } from './faults.ts'
import { KIT } from './layout.ts'
import { noteCopy, type CopyNote } from './records.ts'

/** A copy that is to be made. */
export interface CopyRequest extends Omit<CopyNote, 'id'> {
  readonly kit: string
  /** Folder of the copy, which is not there yet. */
  readonly to: string
  readonly signal: AbortSignal
  /** Called before each part of the work, with what is done next. */
  readonly onPart: (part: string) => void
}

/** A copy that was made. */
export interface KitCopy {
  readonly id: Digest
  readonly bytes: number
  /** Whether the first kit could take a note of the copy. */
  readonly isNoted: boolean
}

/**
 * Copies a whole kit, reads the copy back, and notes it in both. The copy comes whole or not at
 * all. Fails with `kit-damaged` for a kit with faults, `kit-read-back` when the copy has some, and
 * `kit-there` or `disk-full`.
 */
export async function copyKit(request: CopyRequest): Promise<KitCopy> {
  const { kit, signal, onPart } = request
  const to = resolve(request.to)
  await requireNothing(to)
  onPart('check the kit')
  const { id } = await wholeKit(kit, signal)
  await makeFolder(dirname(to))
  const part = join(dirname(to), `.${basename(to)}.part`)
  await removeTree(part) // of a killed run
  await mkdir(part)
  try {
    onPart('copy it')
    for (const { path } of treeBelow(kit)) {
      signal.throwIfAborted()
      if (!path.startsWith(`${KIT.damaged}/`)) await copyBeneath(kit, path, part, path)
    }
    await flushFileSystem(part)
    onPart('read the copy back')
    const { faults, bytes } = await checkKit(part, { signal })
    const [first] = faults
    if (first !== undefined)
      throw new FixpointError(
        'kit-read-back',
        `Cannot copy to "${to}": what the disk gives back is wrong: ${describeFault(first)}`,
      )
    const note = { ...request, id }
    await noteCopy(part, note)
    await rename(part, to)
    await syncPath(dirname(to))
    return { id, bytes, isNoted: await noteCopy(kit, note) }
  } catch (error) {
    await removeTree(part).catch(() => undefined) // the first error says more
    throw explainSystemError(explainDiskFull(error, dirname(to)))
  }
}

/** Checks a kit that is to be copied. Fails with `kit-damaged`. */
async function wholeKit(kit: string, signal: AbortSignal): Promise<KitCheck & { id: Digest }> {
  const check = await checkKit(kit, { signal })
  if (check.faults.length > 0 || check.id === undefined)
    throw new FixpointError(
      'kit-damaged',
      `Kit "${kit}" has ${counted(check.faults.length, 'fault')}`,
      {
        facts: { folder: kit },
      },
    )
  return { ...check, id: check.id }
}
