import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { execa } from 'execa'
import { FixpointError } from '../src/base/error.ts'
import { errorCode } from '../src/base/files.ts'
import { QEMU } from './kvm.ts'

/** How QEMU ended: its exit status, or the signal that killed it. */
export interface Ending {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
}

/** A QEMU that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
}

let guard: Promise<boolean> | undefined

/**
 * Starts QEMU so that it does not outlive this process: killed at its exit, and by the kernel
 * should it die without one, where util-linux's `setpriv` can arrange for that. Rejects with
 * `no-qemu`, kind `hostUnfit`.
 */
export async function startQemu(args: readonly string[], stdio: StdioOptions): Promise<Running> {
  guard ??= execa('setpriv', ['--pdeathsig', 'KILL', QEMU, '--version'], {
    reject: false,
    stdin: 'ignore',
  }).then(({ failed }) => !failed)
  const guarded = await guard
  const child = guarded
    ? spawn('setpriv', ['--pdeathsig', 'KILL', QEMU, ...args], { stdio })
    : spawn(QEMU, args, { stdio })
  const killAtExit = (): void => {
    child.kill('SIGKILL')
  }
  process.on('exit', killAtExit)
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (status, signal) => {
      process.off('exit', killAtExit)
      resolve({ status, signal })
    })
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) => {
      process.off('exit', killAtExit)
      reject(explain(error))
    })
  })
  return { child, ended }
}

function explain(error: Error): Error {
  if (errorCode(error) !== 'ENOENT') return error
  return new FixpointError('hostUnfit', 'no-qemu', `Cannot boot: this host has no ${QEMU}`, {
    hint:
      'Install it (package "qemu-system-x86" on Debian and Ubuntu); `fixpoint doctor` names ' +
      'all that lacks',
    cause: error,
  })
}
