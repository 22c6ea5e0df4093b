import { FixpointError } from '../../base/error.ts'
import { counted } from '../../base/format.ts'
import { checkMirror } from '../../fetch/mirror/check.ts'
import { describeMirrorFault } from '../../fetch/mirror/faults.ts'
import type { CommandContext } from '../context.ts'

/** `mirror check FOLDER`: compares every file of a mirror with its list, and names each fault. */
export async function mirrorCheckCommand(command: CommandContext, folder: string): Promise<void> {
  const { whole, faults } = await checkMirror(folder, command.signal)
  for (const fault of faults)
    await command.result([describeMirrorFault(fault)], { type: 'fault', ...fault })
  await command.result(
    [`${folder}: ${counted(whole, 'whole file')}, ${counted(faults.length, 'fault')}`],
    {
      type: 'mirror-checked',
      folder,
      whole,
      faults: faults.length,
    },
  )
  if (faults.length === 0) return
  throw new FixpointError(
    'mirror-damaged',
    `Mirror "${folder}" has ${counted(faults.length, 'fault')}`,
    {
      facts: { folder },
    },
  )
}
