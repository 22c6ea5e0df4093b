import { copyKit } from '../../archive/kit/copy.ts'
import type { CommandContext } from '../context.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `archive add-copy`. */
export interface AddCopyFlags {
  readonly label?: string
  readonly medium: string
  readonly place: string
}

/** `archive add-copy KIT FOLDER`: copies a kit, reads the copy back, and notes it in both. */
export async function archiveAddCopyCommand(
  command: CommandContext,
  kit: string,
  to: string,
  { label = '', medium, place }: AddCopyFlags,
): Promise<void> {
  const { signal, emit, now } = command
  const onPart = (message: string): void => {
    emit({ type: 'phase', at: now(), message })
  }
  const day = new Date(Date.now()).toISOString().slice(0, 10)
  const copy = await copyKit({ kit, to, label, medium, place, day, signal, onPart })
  const { id, bytes, isNoted } = copy
  await command.result(
    [
      `${to}: a copy of kit ${id.slice(0, 8)}, read back, ${formatBytes(bytes)}`,
      ...(isNoted ? [] : [`"${kit}" is read-only, so it has no note of the copy`]),
      'Removable disk: unplug it, plug it in again, and run `archive check`',
    ],
    { type: 'kit-copied', folder: to, id, bytes, isNoted },
  )
}
