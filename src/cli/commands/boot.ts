import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { bootOnTerminal, type BootOptions } from '../../../qemu/boot.ts'
import type { Port } from '../../../qemu/machine.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { formatCount } from '../../base/format.ts'
import { systemReason } from '../../base/system-error.ts'
import { readDisk } from '../../image/disk.ts'
import type { CommandContext } from '../context.ts'

/** Options of `boot`. */
export interface BootFlags {
  readonly uefi?: boolean
  readonly bios?: boolean
  readonly disk?: BootOptions['disk']
  readonly memory?: string
  readonly smp?: number
  readonly writable?: boolean
  /** Files of further disks, which the guest may write to. */
  readonly attach?: readonly string[]
  readonly network?: boolean
  readonly port?: readonly Port[]
}

/**
 * `boot IMAGE [-- QEMU-ARGUMENT…]`: QEMU with the serial console on the terminal. Fails with
 * `no-image` for another file and an image that was cut, and with `boot-port`.
 */
export async function bootCommand(
  command: CommandContext,
  image: string,
  more: readonly string[],
  { uefi, bios: _bios, attach = [], network, port, ...rest }: BootFlags,
): Promise<void> {
  // Firmware waits for ever before a disk that it cannot start from, and QEMU says nothing.
  await requireWhole(image)
  for (const one of port ?? []) await requireFree(one)
  command.yieldTerminal()
  const machine: BootOptions = {
    image,
    firmware: uefi === true ? 'uefi' : 'bios',
    ...(network === true || port !== undefined ? { network: { ports: port ?? [] } } : {}),
    disks: attach.map((file) => ({ file, bus: 'virtio', writable: true })),
    ...{ more, ...rest },
  }
  const complain = (line: string): void => void process.stderr.write(`${line}\n`)
  process.exitCode = await bootOnTerminal(machine, complain, command.signal)
}

async function requireWhole(image: string): Promise<void> {
  const { size } = await readDisk(image)
  const file = await stat(image)
  if (!file.isFile() || file.size >= size) return
  throw new FixpointError(
    'no-image',
    `Cannot boot "${image}": it ends after ${formatCount(file.size)} bytes, and its partition ` +
      `table says ${formatCount(size)}`,
  )
}

async function requireFree({ host }: Port): Promise<void> {
  const server = createServer()
  try {
    server.listen(host, '127.0.0.1')
    await once(server, 'listening')
  } catch (cause) {
    const isTaken = errorCode(cause) === 'EADDRINUSE'
    const reason = isTaken ? 'another program uses it' : (systemReason(cause) ?? String(cause))
    throw new FixpointError('boot-port', `Cannot forward port ${host} of this host: ${reason}`, {
      cause,
    })
  } finally {
    server.close()
  }
}
