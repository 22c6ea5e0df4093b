import { checkKit } from '../../archive/kit/check.ts'
import { describeFault } from '../../archive/kit/faults.ts'
import { noteCheck } from '../../archive/kit/records.ts'
import { FixpointError } from '../../base/error.ts'
import { counted } from '../../base/format.ts'
import type { CommandContext } from '../context.ts'

/** `archive check KIT`: compares every file of a kit with its lists, and names each fault. */
export async function archiveCheckCommand(command: CommandContext, folder: string): Promise<void> {
  const { id, whole, faults } = await checkKit(folder, { signal: command.signal })
  // A kit on a read-only disk is checked as well.
  await noteCheck(folder, {
    day: new Date(Date.now()).toISOString().slice(0, 10),
    faults: faults.length,
  })
  for (const fault of faults)
    await command.result([describeFault(fault)], { type: 'fault', ...fault })
  await command.result(
    [
      `${folder}: ${counted(whole, 'whole file')}, ${counted(faults.length, 'fault')}`,
      ...(id === undefined ? [] : [`ID ${id}`]),
    ],
    { type: 'checked', folder, id, whole, faults: faults.length },
  )
  if (faults.length === 0) return
  throw new FixpointError('kit-damaged', `Kit "${folder}" has ${counted(faults.length, 'fault')}`, {
    facts: { folder },
  })
}
