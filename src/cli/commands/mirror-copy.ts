import { FixpointError } from '../../base/error.ts'
import { counted } from '../../base/format.ts'
import { copyMirror } from '../../fetch/mirror/copy.ts'
import { describeMirrorFault } from '../../fetch/mirror/faults.ts'
import type { CommandContext } from '../context.ts'

/** `mirror copy FROM TO`: makes all that one mirror has right in another. */
export async function mirrorCopyCommand(
  command: CommandContext,
  from: string,
  to: string,
): Promise<void> {
  const { files, copied, faults, missing } = await copyMirror(from, to, command.signal)
  for (const fault of faults)
    await command.result([describeMirrorFault(fault)], { type: 'fault', ...fault })
  await command.result(
    [
      ...missing.map((name) => `not copied   ${name}`),
      `${to}: ${files - missing.length} of ${counted(files, 'file')} right, ${copied} copied now`,
    ],
    { type: 'mirror-filled', folder: to, files, copied, missing },
  )
  if (faults.length + missing.length === 0) return
  throw new FixpointError(
    'mirror-damaged',
    `Mirror "${from}" has ${counted(faults.length, 'fault')}`,
    {
      facts: { folder: from },
    },
  )
}
