import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { sandboxCommand, type SandboxSpec } from './bwrap.ts'
import { watchMemory } from './memory.ts'

/** How a sandboxed command ended. */
export interface SandboxResult {
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined
  readonly timedOut: boolean
  /** Bytes; largest sum over its processes that was seen. */
  readonly peakMemory: number
}

/** How a sandboxed command is run. */
export interface RunOptions {
  /** File that standard output and error are appended to. */
  readonly log: string
  /** Seconds until it is ended. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
  /** Called each time its processes are measured, with their memory in bytes. */
  readonly onMemory?: (bytes: number) => void
}

/** Runs a command in the sandbox with its output in a log. An abort or time-out ends all its processes before this resolves. */
export async function runSandboxed(spec: SandboxSpec, options: RunOptions): Promise<SandboxResult> {
  options.signal?.throwIfAborted()
  const [command = '', ...args] = sandboxCommand(spec)
  const log = openSync(options.log, 'a')
  const child = spawn(command, args, { stdio: ['ignore', log, log], env: { PATH: '/usr/bin:/bin' } })
  closeSync(log)
  // Killing bwrap ends its pid namespace, and with it every process inside.
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    kill()
  }, options.timeout * 1000)
  options.signal?.addEventListener('abort', kill, { once: true })
  const memory = watchMemory(child.pid, options.onMemory)
  try {
    const [status] = (await once(child, 'exit')) as [number | null]
    return { status: status ?? undefined, timedOut, peakMemory: memory.peak() }
  } catch (error) {
    throw cannotStart(error)
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', kill)
    memory.stop()
  }
}

function cannotStart(error: unknown): unknown {
  if (errorCode(error) !== 'ENOENT') return error
  return new FixpointError('hostUnfit', 'sandbox-tool-missing', 'Cannot start the sandbox: setarch or bwrap is not installed', {
    hint: 'Run `fixpoint doctor`',
    cause: error,
  })
}
