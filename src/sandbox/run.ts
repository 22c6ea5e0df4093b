import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { sandboxCommand, type SandboxSpec } from './bwrap.ts'
import { inheritedFiles } from './open-descriptors.ts'
import { children, watchMemory } from './memory.ts'
import { programFolders } from './programs.ts'
import { record, type Recording } from './output.ts'
import { ANSWER_LINES, ENGINE } from './runner.ts'

/** How a step ended. */
export interface StepEnd {
  /** Exit status; undefined when the sandbox ended before the step. */
  readonly status: number | undefined
  readonly timedOut: boolean
  /** Whether it was ended because the log was full. */
  readonly logFull: boolean
}

/** How a sandbox ended, and what its steps used. */
export interface SandboxEnd {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null
  /** What the runner's `times` printed last. */
  readonly times: string
  /** Bytes; the largest sum over its processes that was seen. */
  readonly peakMemory: number
}

/** How a sandbox is run. */
export interface RunOptions {
  /** File that standard output and error are appended to. */
  readonly log: string
  /** Pipe that they go through; a fifo of the machine. */
  readonly pipe: string
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds until what has not ended is killed again. */
const KILL_AGAIN = 50

/** Milliseconds; a timer set for longer goes off at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * A sandbox whose command is a {@link runnerScript}. It runs one step after the other, with their
 * output in one log.
 */
export class RunningSandbox {
  readonly #child: ChildProcess
  readonly #exit: Promise<[status: number | null]>
  readonly #recording: Recording
  readonly #answers: Answers
  readonly #memory: { peak: () => number; stop: () => void }
  readonly #signal: AbortSignal | undefined
  #times = ''
  #logFull = false

  /** Starts the sandbox. Fails with `command-too-large` or `sandbox-tool-missing`. */
  constructor(spec: SandboxSpec, { log, pipe, signal }: RunOptions) {
    signal?.throwIfAborted()
    this.#recording = record(pipe, log, () => {
      this.#logFull = true
      this.#kill()
    })
    this.#child = start(spec, this.#recording.writer)
    this.#exit = once(this.#child, 'exit').then(
      ([status]) => [status as number | null],
      (error: unknown) => {
        throw cannotStart(error)
      },
    )
    this.#exit.catch(() => undefined) // looked at by whoever waits for it
    this.#answers = new Answers(this.#child.stdio[ENGINE])
    this.#memory = watchMemory(this.#child.pid)
    this.#signal = signal
    signal?.addEventListener('abort', this.#kill, { once: true })
  }

  /** Runs the step in the file `name` of {@link PATHS.steps}, for `timeout` seconds at most. */
  async run(name: string, timeout: number): Promise<StepEnd> {
    let timedOut = false
    const timer = setTimeout(
      () => {
        timedOut = true
        this.#kill()
      },
      Math.min(timeout * 1000, LONGEST_TIMER),
    )
    try {
      const answer = await this.#answers.ask(name)
      if (answer === 'endless') this.#kill()
      const [status, ...times] = answer === 'endless' ? [] : answer
      if (status === undefined) await this.#exit
      if (times.length > 0) this.#times = times.join('\n')
      return {
        status: status === undefined ? undefined : Number(status),
        timedOut,
        logFull: this.#logFull,
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Ends the sandbox. All its processes have ended when this resolves, and the log is written: the
   * runner is the first of its process namespace, and the kernel ends that as a whole.
   */
  async end(): Promise<SandboxEnd> {
    try {
      this.#answers.end()
      // A step may have taken over the runner: it is not asked to end.
      this.#kill()
      const [status] = await this.#exit
      await this.#recording.ended
      return { status, times: this.#times, peakMemory: this.#memory.peak() }
    } finally {
      this.#signal?.removeEventListener('abort', this.#kill)
      this.#memory.stop()
    }
  }

  /**
   * Kills the first process of the namespace, which ends all others before it is gone itself. bwrap
   * waits for it. Goes on until all have ended: what is made before that has other children, which
   * end by themselves meanwhile.
   */
  readonly #kill = (): void => {
    const { pid, exitCode, signalCode } = this.#child
    // Its number may be that of another process by now.
    if (exitCode !== null || signalCode !== null) return
    const first = pid === undefined ? [] : children(pid)
    for (const child of first) killProcess(child)
    if (first.length === 0) this.#child.kill('SIGKILL')
    setTimeout(this.#kill, KILL_AGAIN).unref()
  }
}

/** Characters; an answer has fewer. A step that has taken over the runner may write any number. */
const LONGEST_ANSWER = 4096

/** The engine's side of what it and the runner say. */
class Answers {
  readonly #line: Duplex | undefined
  readonly #chunks: AsyncIterator<string> | undefined
  #text = ''
  #isUp = false

  constructor(line: unknown) {
    if (!(line instanceof Duplex)) return // it could not be started
    line.on('error', () => undefined) // it ended: its status tells
    this.#line = line
    this.#chunks = line.setEncoding('latin1')[Symbol.asyncIterator]()
  }

  /**
   * Names a step to the runner. Resolves to the lines of its answer; to none when the runner has
   * ended.
   */
  async ask(step: string): Promise<string[] | 'endless'> {
    if (!this.#isUp) {
      const up = await this.#read(1)
      if (up === 'endless' || up.length === 0) return up
    }
    this.#isUp = true
    this.#line?.write(`${step}\n`)
    return this.#read(ANSWER_LINES)
  }

  end(): void {
    this.#line?.end()
  }

  async #read(count: number): Promise<string[] | 'endless'> {
    while (this.#text.split('\n').length <= count) {
      const chunk = await this.#chunks?.next().catch(() => undefined)
      if (chunk === undefined || chunk.done === true) return []
      this.#text += chunk.value
      if (this.#text.length > LONGEST_ANSWER) return 'endless'
    }
    const lines = this.#text.split('\n')
    this.#text = lines.slice(count).join('\n')
    return lines.slice(0, count)
  }
}

/** Starts the sandbox; closes `output`, which the child then holds alone. */
function start(spec: SandboxSpec, output: number): ChildProcess {
  const [command = '', ...args] = sandboxCommand(spec)
  try {
    // Detached: Ctrl-C is for the engine to handle, which then ends the sandbox.
    const child = spawn(command, args, {
      stdio: stdioOf(output),
      env: { PATH: programFolders() },
      detached: true,
    })
    child.stdin?.on('error', () => undefined).destroy()
    return child
  } catch (error) {
    throw cannotStart(error)
  } finally {
    closeSync(output)
  }
}

/**
 * Files of the child by number: none but output, error and the line to the engine, so the output
 * covers every inherited one. Nothing is a file of the machine, not even /dev/null as the empty
 * input: through a descriptor, root's sandbox could change its mode for all.
 */
function stdioOf(log: number): StdioOptions {
  const inherited = inheritedFiles()
  const files = Array.from({ length: Math.max(ENGINE, ...inherited) + 1 }, (_, fd) =>
    inherited.includes(fd) ? log : 'ignore',
  )
  return ['pipe', log, log, 'pipe', ...files.slice(ENGINE + 1)]
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
