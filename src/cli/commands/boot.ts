import { bootOnTerminal, type BootOptions } from '../../../qemu/boot.ts'
import type { CommandContext } from '../context.ts'

/** Options of `boot`. */
export interface BootFlags {
  readonly uefi?: boolean
  readonly bios?: boolean
  readonly disk?: BootOptions['disk']
  readonly memory?: string
  readonly smp?: number
  readonly writable?: boolean
}

/** `boot IMAGE`: QEMU with the serial console on the terminal. */
export async function bootCommand(
  _command: CommandContext,
  image: string,
  { uefi, bios: _bios, ...rest }: BootFlags,
): Promise<void> {
  process.exitCode = await bootOnTerminal({
    image,
    firmware: uefi === true ? 'uefi' : 'bios',
    ...rest,
  })
}
