import { execa } from 'execa'
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT_PORT, PROBE_PASSED, probeSector } from './probe-sector.ts'

/** How QEMU runs the guest's code: on the processor, or translated. */
export type Accelerator = 'kvm' | 'tcg'

/** QEMU's name; looked up in PATH. */
export const QEMU = 'qemu-system-x86_64'

let chosen: Promise<Accelerator> | undefined

/** 'kvm' where it really works, else 'tcg'. Asked once per process. */
export function chooseAccelerator(): Promise<Accelerator> {
  chosen ??= kvmDevice().then(async (present) =>
    present && (await accelerates('kvm')) ? 'kvm' : 'tcg',
  )
  return chosen
}

/** The device can be opened; whether it is of any use, only {@link accelerates} tells. */
async function kvmDevice(): Promise<boolean> {
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
}

/**
 * True when a guest that switches to 64-bit mode and takes interrupts runs to its end. A machine
 * that is itself virtual may have a /dev/kvm which runs the firmware and then stops at a kernel's
 * first uncommon instruction. False also when there is no QEMU.
 */
export async function accelerates(accelerator: Accelerator, timeoutMs = 15_000): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-kvm-'))
  try {
    const sector = join(folder, 'sector')
    await writeFile(sector, probeSector())
    const child = execa(QEMU, probeArguments(accelerator, sector), {
      reject: false,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdin: 'ignore',
      // QEMU does not exit when the kernel gives up on the guest, but it says so.
      stdout: 'ignore',
      stderr: function* (line: unknown) {
        if (String(line).includes('KVM internal error')) child.kill('SIGKILL')
        yield line
      },
    })
    return (await child).exitCode === PROBE_PASSED
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function probeArguments(accelerator: Accelerator, sector: string): string[] {
  return [
    ...[
      '-nodefaults',
      '-no-user-config',
      '-accel',
      accelerator,
      '-m',
      '16',
      '-display',
      'none',
      '-nic',
      'none',
      '-no-reboot',
    ],
    ...(accelerator === 'kvm' ? ['-cpu', 'host'] : []),
    ...['-device', `isa-debug-exit,iobase=${EXIT_PORT},iosize=1`],
    ...['-drive', `if=ide,format=raw,snapshot=on,file=${sector}`],
  ]
}
