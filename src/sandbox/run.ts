import { spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { sandboxCommand, type SandboxSpec } from './bwrap.ts'
import { inheritedFiles } from './inherited.ts'
import { children, watchMemory } from './memory.ts'

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
}

/** Milliseconds; a timer set for longer goes off at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Runs a command in the sandbox with its output in a log. An abort or time-out ends all its processes before this resolves. */
export async function runSandboxed(spec: SandboxSpec, options: RunOptions): Promise<SandboxResult> {
  options.signal?.throwIfAborted()
  const [command = '', ...args] = sandboxCommand(spec)
  const log = openSync(options.log, 'a')
  // Detached: Ctrl-C is for the engine to handle, which then ends the sandbox.
  const nothing = openSync('/dev/null', 'r')
  const child = spawn(command, args, { stdio: stdioOf(log, nothing), env: { PATH: '/usr/bin:/bin' }, detached: true })
  closeSync(nothing)
  closeSync(log)
  // Killing the first process of the pid namespace ends all others before it is gone itself, and bwrap waits for it. Killing bwrap would
  // end them as well, but some time after this has resolved.
  const kill = (): void => {
    const first = child.pid === undefined ? [] : children(child.pid)
    for (const pid of first) killProcess(pid)
    if (first.length === 0) child.kill('SIGKILL')
  }
  let timedOut = false
  const timer = setTimeout(
    () => {
      timedOut = true
      kill()
    },
    Math.min(options.timeout * 1000, LONGEST_TIMER),
  )
  options.signal?.addEventListener('abort', kill, { once: true })
  const memory = watchMemory(child.pid)
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

/** Files of the child by number: none but output and error, so every inherited one is covered by `nothing`. */
function stdioOf(log: number, nothing: number): StdioOptions {
  const inherited = inheritedFiles()
  const files = Array.from({ length: Math.max(2, ...inherited) + 1 }, (_, fd) =>
    inherited.includes(fd) ? nothing : 'ignore',
  )
  return ['ignore', log, log, ...files.slice(3)]
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

function cannotStart(error: unknown): unknown {
  if (errorCode(error) !== 'ENOENT') return error
  return new FixpointError(
    'hostUnfit',
    'sandbox-tool-missing',
    'Cannot start the sandbox: setarch or bwrap is not installed',
    {
      hint: 'Run `fixpoint doctor`',
      cause: error,
    },
  )
}
