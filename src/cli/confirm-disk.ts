import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { FixpointError } from '../base/error.ts'
import { visible } from '../base/visible.ts'
import { devicePath, type DiskDevice } from '../image/write/disk-device.ts'
import type { CommandContext } from './context.ts'

/**
 * Asks the user to type the name of a disk that is to be overwritten. Fails with
 * `disk-not-confirmed`, also where nobody is at a terminal.
 */
export async function confirmDisk(
  { name, path }: DiskDevice,
  command: CommandContext,
): Promise<void> {
  const refuse = (reason: string): never => {
    throw new FixpointError('disk-not-confirmed', `Cannot write to "${path}": ${reason}`)
  }
  if (!process.stdin.isTTY || !process.stderr.isTTY) refuse('nobody is at a terminal to say yes')
  await command.settle()
  process.stderr.write(visible(`To overwrite ${devicePath(name)}, type ${name}: `))
  const answer = await readLine(command.signal)
  if (![name, devicePath(name)].includes(answer.trim())) refuse('its name was not typed')
}

/** A line that is typed; empty at the end of input. Rejects once the signal is aborted. */
async function readLine(signal: AbortSignal): Promise<string> {
  // Not as a terminal of readline's own, which would take Ctrl-C away from everyone else.
  const lines = createInterface({ input: process.stdin, terminal: false })
  try {
    return await Promise.race([
      once(lines, 'line', { signal }).then(([line]) => String(line)),
      once(lines, 'close', { signal }).then(() => ''),
    ])
  } finally {
    lines.close()
  }
}
