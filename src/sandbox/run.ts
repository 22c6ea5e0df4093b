import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { sandboxCommand, type SandboxSpec } from './bwrap.ts'
import { inheritedFiles } from './open-descriptors.ts'
import { children, watchMemory } from './memory.ts'
import { record } from './output.ts'

/** How a sandboxed command ended. */
export interface SandboxResult {
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined
  readonly timedOut: boolean
  /** Whether it was ended because its log was full. */
  readonly logFull: boolean
  /** Bytes; largest sum over its processes that was seen. */
  readonly peakMemory: number
}

/** How a sandboxed command is run. */
export interface RunOptions {
  /** File that standard output and error are appended to. */
  readonly log: string
  /** Pipe that they go through; a fifo of the machine. */
  readonly pipe: string
  /** Seconds until it is ended. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** The descriptor that a sandboxed command and the engine speak by before it begins. */
const ENGINE = 3

/**
 * What a sandboxed shell has to run first: it waits for the engine's word. The kernel ends the
 * sandbox with the engine, but only from the moment that bwrap has asked it to; should the engine
 * be killed before that, no word comes and the shell ends by itself.
 */
export const WAIT_FOR_ENGINE = `echo >&${ENGINE} && read -r word <&${ENGINE} || exit 1
exec ${String(ENGINE)}>&-
`

/** Milliseconds; a timer set for longer goes off at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Runs a command that begins with {@link WAIT_FOR_ENGINE} in the sandbox, with its output in a log.
 * All its processes have ended when this resolves, also those that it left behind: the command is
 * the first of its process namespace, and the kernel ends that as a whole.
 */
export async function runSandboxed(spec: SandboxSpec, options: RunOptions): Promise<SandboxResult> {
  options.signal?.throwIfAborted()
  let logFull = false
  const output = record(options.pipe, options.log, () => {
    logFull = true
    kill()
  })
  const child = start(spec, output.writer)
  giveWord(child)
  // Killing the first process of the pid namespace ends all others before it is gone itself, and
  // bwrap waits for it.
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
    await output.ended
    return { status: status ?? undefined, timedOut, logFull, peakMemory: memory.peak() }
  } catch (error) {
    throw cannotStart(error)
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', kill)
    memory.stop()
  }
}

/** Starts the sandbox; closes `output`, which the child then holds alone. */
function start(spec: SandboxSpec, output: number): ChildProcess {
  const [command = '', ...args] = sandboxCommand(spec)
  const nothing = openSync('/dev/null', 'r')
  try {
    // Detached: Ctrl-C is for the engine to handle, which then ends the sandbox.
    return spawn(command, args, {
      stdio: stdioOf(output, nothing),
      env: { PATH: '/usr/bin:/bin' },
      detached: true,
    })
  } catch (error) {
    throw cannotStart(error)
  } finally {
    closeSync(nothing)
    closeSync(output)
  }
}

/**
 * Answers the line that the command writes when nothing is left that could keep the engine's death
 * from ending it.
 */
function giveWord(child: ChildProcess): void {
  const line = child.stdio[ENGINE]
  if (!(line instanceof Duplex)) return // it could not be started
  line.once('data', () => line.end('\n'))
  line.on('error', () => undefined) // it ended before it could hear: its status tells
}

/**
 * Files of the child by number: none but output, error and the line to the engine, so every
 * inherited one is covered by `nothing`.
 */
function stdioOf(log: number, nothing: number): StdioOptions {
  const inherited = inheritedFiles()
  const files = Array.from({ length: Math.max(ENGINE, ...inherited) + 1 }, (_, fd) =>
    inherited.includes(fd) ? nothing : 'ignore',
  )
  return ['ignore', log, log, 'pipe', ...files.slice(ENGINE + 1)]
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

function cannotStart(error: unknown): unknown {
  if (errorCode(error) === 'E2BIG')
    return new FixpointError(
      'command-too-large',
      'Cannot start the sandbox: the variables of its environment are larger than the ' +
        'kernel allows',
      { cause: error },
    )
  if (errorCode(error) !== 'ENOENT') return error
  return new FixpointError(
    'sandbox-tool-missing',
    'Cannot start the sandbox: sh, setarch or bwrap is not installed',
    { cause: error },
  )
}
