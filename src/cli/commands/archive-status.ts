import { kitStatus } from '../../archive/kit/status.ts'
import { EXIT } from '../../base/exit.ts'
import { counted } from '../../base/format.ts'
import type { CommandContext } from '../context.ts'

/**
 * `archive status KIT`: copies and checks by the kit's own records, and what should be better; exit
 * code 8 when there is such.
 */
export async function archiveStatusCommand(command: CommandContext, kit: string): Promise<void> {
  const day = new Date(Date.now()).toISOString().slice(0, 10)
  const { copies, lastCheck, warnings } = await kitStatus(kit, day)
  await command.result(
    [
      ...copies.map(
        ({ day: copied, label, medium, place }) =>
          `copy of ${copied}: ${medium}, ${place}${label === '' ? '' : `, "${label}"`}`,
      ),
      lastCheck === undefined
        ? 'no check noted'
        : `checked ${lastCheck.day}: ${counted(lastCheck.faults, 'fault')}`,
      ...warnings.map((warning) => `at risk: ${warning}`),
    ],
    { type: 'kit-status', folder: kit, copies, lastCheck, warnings },
  )
  if (warnings.length > 0) process.exitCode = EXIT.damaged
}
