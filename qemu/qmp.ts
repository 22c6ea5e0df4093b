import type { Duplex } from 'node:stream'
import { createInterface } from 'node:readline'
import { FixpointError } from '../src/base/error.ts'

interface Answer {
  readonly id?: number
  readonly QMP?: unknown
  readonly return?: unknown
  readonly error?: { readonly desc: string }
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * QEMU's control protocol (docs/interop/qmp-spec of QEMU): a line of JSON per command, answer and
 * event. Events are not looked at.
 */
export class Qmp {
  readonly #stream: Duplex
  readonly #waiting = new Map<number, Waiting>()
  #serial = 0
  #closed = false

  constructor(stream: Duplex) {
    this.#stream = stream
    createInterface({ input: stream })
      .on('line', (line) => {
        this.#answer(JSON.parse(line) as Answer)
      })
      // The stream may break when QEMU ends, and the reader says so too; whoever waits for an
      // answer is told by `close`.
      .on('error', () => undefined)
    stream.on('error', () => undefined)
    stream.on('close', () => {
      this.#close()
    })
  }

  /**
   * Resolves with what the command returns. Fails with `qmp-refused` when QEMU refuses it,
   * `qmp-closed` when QEMU ends first.
   */
  execute(command: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#serial
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closed())
        return
      }
      this.#waiting.set(id, { resolve, reject })
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`)
    })
  }

  #answer(answer: Answer): void {
    if (answer.id === undefined) return
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.error === undefined) waiting?.resolve(answer.return)
    else
      waiting?.reject(
        new FixpointError('qmp-refused', `QEMU refused a command: ${answer.error.desc}`),
      )
  }

  #close(): void {
    this.#closed = true
    for (const { reject } of this.#waiting.values()) reject(closed())
    this.#waiting.clear()
  }
}

function closed(): FixpointError {
  return new FixpointError('qmp-closed', 'Cannot command QEMU: it has ended')
}
