import { resolve } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { examineHost } from '../doctor/examine.ts'
import { findingsText } from '../doctor/text.ts'
import type { Engine } from '../engine.ts'

/** `doctor`: examines the host; exit code 6 when something that building needs is missing. */
export async function doctorCommand(engine: Engine): Promise<void> {
  const store = resolve(engine.options.store ?? (await engine.configuration()).store)
  const findings = await examineHost({ store })
  await engine.result(findingsText(findings), { type: 'findings', findings })
  if (findings.some(({ status, purpose }) => status === 'missing' && purpose === 'build')) {
    throw new FixpointError('hostUnfit', 'host-unfit', 'This host cannot build yet')
  }
}
