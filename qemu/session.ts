import type { Duplex, Readable } from 'node:stream'
import type { ErrorCode } from '../src/base/codes.ts'
import { FixpointError } from '../src/base/error.ts'
import { ConsoleText } from './console.ts'
import { machineArguments, type Machine } from './machine.ts'
import { startQemu, type Ending, type Running } from './process.ts'
import { Qmp } from './qmp.ts'

/**
 * File descriptors of QEMU that carry the serial port and the control protocol: socket pairs, so
 * that there are no names to collide or to clean up.
 */
const DESCRIPTORS = { serial: 3, qmp: 4 } as const

/** How many lines of the console an error shows. */
const TAIL = 25

/** How long to wait for something, and what may end the wait earlier. */
export interface Patience {
  /** Default 120 s: four times what a boot under emulation may take. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

interface Expectation {
  readonly pattern: string | RegExp
  readonly resolve: (match: RegExpExecArray) => void
  readonly reject: (error: Error) => void
}

/**
 * A machine that runs in QEMU, with its serial console at hand. Every wait is for an event: what
 * the guest prints, or QEMU's end.
 */
export class Session {
  /** Resolves when QEMU has ended, however it did. */
  readonly ended: Promise<Ending>
  readonly #running: Running
  readonly #serial: Duplex
  readonly #qmp: Qmp
  readonly #console = new ConsoleText()
  #messages = ''
  #ending: Ending | undefined
  #expectation: Expectation | undefined

  private constructor(running: Running) {
    const { child } = running
    this.#running = running
    this.#serial = child.stdio[DESCRIPTORS.serial] as Duplex
    this.#qmp = new Qmp(child.stdio[DESCRIPTORS.qmp] as Duplex)
    this.#serial.on('data', (bytes: Uint8Array) => {
      this.#console.append(bytes)
      this.#look()
    })
    this.#serial.on('error', () => undefined)
    ;(child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => {
      this.#messages += text
    })
    this.ended = running.ended.then((ending) => {
      this.#ending = ending
      this.#look()
      return ending
    })
  }

  /**
   * Switches the machine on. Rejects with `no-qemu`, or with `qemu-failed` and QEMU's own words.
   */
  static async start(machine: Machine): Promise<Session> {
    const session = new Session(
      await startQemu(machineArguments(machine, DESCRIPTORS), [
        'ignore',
        'ignore',
        'pipe',
        'pipe',
        'pipe',
      ]),
    )
    try {
      await session.qmp('qmp_capabilities')
    } catch (error) {
      await session.kill()
      throw new FixpointError('qemu-failed', `Cannot start QEMU: ${session.#messages.trim()}`, {
        cause: error,
      })
    }
    return session
  }

  /** Process id of QEMU. */
  get pid(): number | undefined {
    return this.#running.child.pid
  }

  /** All that the console has printed, without escape sequences and carriage returns. */
  get transcript(): string {
    return this.#console.transcript
  }

  /**
   * Waits until the console prints `pattern`, and resolves with the match; the next call looks on
   * from its end. Rejects, with the console's last lines in the message, by `boot-timeout`, or by
   * `boot-ended` when the machine ends first; and with the reason of an aborted `signal`.
   */
  async expect(
    pattern: string | RegExp,
    { timeoutMs = 120_000, signal }: Patience = {},
  ): Promise<RegExpExecArray> {
    if (this.#expectation !== undefined) throw new TypeError('Session.expect is already waiting')
    signal?.throwIfAborted()
    const { promise, resolve, reject } = withResolvers<RegExpExecArray>()
    this.#expectation = { pattern, resolve, reject }
    const timer = setTimeout(() => {
      reject(
        this.#failure(
          'boot-timeout',
          `Cannot see ${show(pattern)} on the console within ${timeoutMs / 1000} s`,
        ),
      )
    }, timeoutMs)
    const abort = (): void => {
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', abort)
    this.#look()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      this.#expectation = undefined
    }
  }

  /** Types on the serial console; write `\n` where a person would press Enter. */
  type(text: string): void {
    this.#serial.write(text.replaceAll('\n', '\r'))
  }

  /**
   * Sends a command of QEMU's control protocol, such as `screendump`, and resolves with what it
   * returns.
   */
  qmp(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.#qmp.execute(command, parameters)
  }

  /** Waits until the guest has switched itself off. Rejects by `boot-timeout` when it does not. */
  async off({ timeoutMs = 120_000 }: Patience = {}): Promise<void> {
    const { promise, reject } = withResolvers<never>()
    const timer = setTimeout(() => {
      reject(
        this.#failure(
          'boot-timeout',
          `The machine did not switch itself off within ${timeoutMs / 1000} s`,
        ),
      )
    }, timeoutMs)
    await Promise.race([this.ended, promise]).finally(() => {
      clearTimeout(timer)
    })
  }

  /**
   * Presses the power button and waits until the guest has switched itself off. Rejects by
   * `boot-timeout` when it does not.
   */
  async powerdown(patience: Patience = {}): Promise<void> {
    if (this.#ending !== undefined) return
    await this.qmp('system_powerdown')
    await this.off(patience)
  }

  /**
   * Ends QEMU at once but properly: what the guest wrote to a writable disk has reached the file.
   */
  async quit(): Promise<void> {
    // QEMU may be gone before its answer has arrived, which is as well.
    await this.qmp('quit').catch(() => undefined)
    await this.ended
  }

  /** Pulls the plug. Resolves when QEMU is gone; does nothing when it already is. */
  async kill(): Promise<void> {
    this.#running.child.kill('SIGKILL')
    await this.ended
  }

  #look(): void {
    if (this.#expectation === undefined) return
    const { pattern, resolve, reject } = this.#expectation
    const match = this.#console.take(pattern)
    if (match !== undefined) {
      this.#expectation = undefined
      resolve(match)
    } else if (this.#ending !== undefined) {
      const { status, signal } = this.#ending
      reject(
        this.#failure(
          'boot-ended',
          `Cannot see ${show(pattern)} on the console: QEMU ended ` +
            `with ${signal ?? `status ${status}`}`,
        ),
      )
    }
  }

  #failure(code: ErrorCode, message: string): FixpointError {
    const lines = this.#console.tail(TAIL)
    const printed =
      lines === '' ? 'The console printed nothing' : `The console's last lines:\n${lines}`
    const own = this.#messages === '' ? '' : `\nQEMU said:\n${this.#messages.trimEnd()}`
    return new FixpointError(code, `${message}\n${printed}${own}`)
  }
}

function show(pattern: string | RegExp): string {
  return typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern)
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: Error) => void
} {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}
