import { bootOnTerminal, type BootOptions } from '../../../qemu/boot.ts'
import type { Port } from '../../../qemu/machine.ts'
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
 * `no-image` for another file.
 */
export async function bootCommand(
  command: CommandContext,
  image: string,
  more: readonly string[],
  { uefi, bios: _bios, attach = [], network, port, ...rest }: BootFlags,
): Promise<void> {
  // Firmware waits for ever before a disk that it cannot start from, and QEMU says nothing.
  await readDisk(image)
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
