import { resolve } from 'node:path'
import { counted } from '../../base/format.ts'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { flushFileSystem } from '../../base/files.ts'
import { copyBeneath } from '../../base/put-file.ts'
import { makeAlone } from '../make-alone.ts'
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
 * all. Fails with `kit-damaged` for a kit with faults, `kit-read-back` when the copy has some,
 * `kit-busy` while another run makes something beside it, and `kit-there` or `disk-full`.
 */
export async function copyKit(request: CopyRequest): Promise<KitCopy> {
  const { kit, signal, onPart } = request
  const to = resolve(request.to)
  await requireNothing(to)
  onPart('check the kit')
  const { id } = await wholeKit(kit, signal)
  const note = { ...request, id }
  const bytes = await makeAlone(to, { signal, check: () => requireNothing(to) }, async (part) => {
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
    await noteCopy(part, note)
    return bytes
  })
  return { id, bytes, isNoted: await noteCopy(kit, note) }
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
