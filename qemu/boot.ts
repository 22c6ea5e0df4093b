import type { ChildProcess } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { FixpointError } from '../src/base/error.ts'
import { EXIT } from '../src/base/exit.ts'
import { exists, isFileOrDisk } from '../src/base/files.ts'
import { findFirmware } from './firmware.ts'
import { chooseAccelerator } from './kvm.ts'
import { machineArguments, type Bus, type Disk, type Machine } from './machine.ts'
import { startQemu } from './process.ts'
import { Session } from './session.ts'

/** What to boot and on what; everything but the image has a default. */
export interface BootOptions {
  /** A raw disk image. */
  readonly image: string
  /** Default 'bios'. */
  readonly firmware?: 'bios' | 'uefi' | undefined
  /** How the image is attached; default 'virtio'. */
  readonly disk?: Bus | undefined
  /** Bytes of the image's sectors; default 512. */
  readonly sector?: 512 | 4096 | undefined
  /** Default '1G'. */
  readonly memory?: string | undefined
  /** Number of processors; default 2. */
  readonly smp?: number | undefined
  /** True: what the guest writes reaches the image. Default false. */
  readonly writable?: boolean | undefined
  /**
   * What the machine's clock says when it is switched on, as 2050-01-01T00:00:00, UTC; default: the
   * time it is.
   */
  readonly clock?: string | undefined
  /** Further disks, after the image. */
  readonly disks?: readonly Disk[] | undefined
  /** A network of QEMU's own; default: none. */
  readonly network?: Machine['network']
  /** Further arguments of QEMU. */
  readonly more?: readonly string[] | undefined
}

/**
 * Boots an image under the control of a program. Rejects with `no-image`, `no-qemu`,
 * `no-uefi-firmware`, `qemu-failed`.
 */
export async function bootSession(options: BootOptions): Promise<Session> {
  return Session.start(await machineFor(options, { reboot: false }))
}

/**
 * Boots an image with its serial console on the user's terminal, until it is switched off or the
 * user leaves by Ctrl-A X; `signal` ends it, too. `complain` gets the lines that QEMU writes to
 * standard error. Resolves with QEMU's exit status, or 130 after Ctrl-C and after `signal`. Rejects
 * like {@link bootSession}.
 */
export async function bootOnTerminal(
  options: BootOptions,
  complain: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const machine = await machineFor(options, { reboot: true })
  signal.throwIfAborted()
  // On a terminal QEMU passes Ctrl-C on to the guest; sent by someone else, the signal ends QEMU,
  // and with it this wait.
  const interrupt = new AbortController()
  const note = (): void => {
    interrupt.abort()
  }
  process.on('SIGINT', note)
  try {
    const words = machineArguments(machine, 'terminal')
    const { child, ended } = await startQemu(words, ['inherit', 'inherit', 'pipe'])
    const end = (): void => void child.kill('SIGTERM')
    signal.addEventListener('abort', end)
    // It may have come while QEMU was being started.
    if (signal.aborted) end()
    const told = passOnErrors(child, complain)
    const { status } = await ended
    signal.removeEventListener('abort', end)
    await told
    return interrupt.signal.aborted || signal.aborted ? EXIT.interrupted : (status ?? 1)
  } finally {
    process.off('SIGINT', note)
  }
}

/** Passes on what QEMU complains of; that a signal ended it is no complaint. */
async function passOnErrors(
  { stderr }: ChildProcess,
  complain: (line: string) => void,
): Promise<void> {
  if (stderr === null) return
  for await (const line of createInterface({ input: stderr }))
    if (!/: terminating on signal (?:2|15)\b/.test(line)) complain(line)
}

async function machineFor(options: BootOptions, { reboot }: { reboot: boolean }): Promise<Machine> {
  const {
    image,
    firmware = 'bios',
    disk: bus = 'virtio',
    memory = '1G',
    smp = 2,
    writable = false,
    disks = [],
    clock,
    sector,
    network,
    more,
  } = options
  await checkDisk('boot', image, writable)
  for (const { file, writable: written = false } of disks) await checkDisk('attach', file, written)
  return {
    firmware: firmware === 'bios' ? 'bios' : await findFirmware(),
    disks: [{ file: image, bus, writable, sector }, ...disks],
    accelerator: await chooseAccelerator(),
    ...{ memory, smp, clock, network, more, reboot },
  }
}

async function checkDisk(verb: string, file: string, writable: boolean): Promise<void> {
  // QEMU would wait for who writes to a fifo.
  if ((await exists(file)) && !(await isFileOrDisk(file)))
    throw new FixpointError('no-image', `Cannot ${verb} "${file}": it is neither a file nor a disk`)
  try {
    await access(file, writable ? constants.R_OK | constants.W_OK : constants.R_OK)
  } catch (error) {
    throw new FixpointError(
      'no-image',
      `Cannot ${verb} "${file}": it is not there or may not be ${writable ? 'written' : 'read'}`,
      { cause: error },
    )
  }
}
