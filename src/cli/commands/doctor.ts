import { resolve } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { examineHost } from '../doctor/examine.ts'
import { findingsText } from '../doctor/text.ts'
import type { CommandContext } from '../context.ts'

/** `doctor`: examines the host; exit code 6 when something that building needs is missing. */
export async function doctorCommand(command: CommandContext): Promise<void> {
  const store = resolve(command.options.store ?? (await command.configuration()).store)
  const findings = await examineHost({ store })
  await command.result(findingsText(findings), { type: 'findings', findings })
  if (findings.some(({ status, purpose }) => status === 'missing' && purpose === 'build')) {
    throw new FixpointError('host-unfit', 'This host cannot build yet')
  }
}
