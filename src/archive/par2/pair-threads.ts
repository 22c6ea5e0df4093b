import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { FixpointError } from '../../base/error.ts'
import { pairKernel } from './pair-kernel.ts'

/** Threads at most. Each takes some 10 MiB. */
const MAX_THREADS = 8

/** Bytes of sums below which a thread takes longer to start than to work. */
const WORTH_IT = 64 << 20

/** How many threads are of use for so many pairs and bytes of input. None for little work. */
export function threadsFor(pairs: number, bytes: number): number {
  const count = Math.min(availableParallelism(), MAX_THREADS, pairs)
  return count < 2 || 2 * pairs * bytes < WORTH_IT ? 0 : count
}

/** What a thread runs: CommonJS, with the text of the kernel. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { pairs, pieces } = workerData
const addToPairs = (${pairKernel.toString()})()
parentPort.on('message', ({ slot, length, factors }) => {
  addToPairs(pairs, pieces[slot].subarray(0, length), factors)
  parentPort.postMessage(slot)
})
`

/** Threads that add pieces of input blocks to pairs of sums. All memory is shared. */
export class PairThreads {
  readonly #threads: readonly { readonly worker: Worker; readonly indices: readonly number[] }[]
  /** Threads that work on each piece. */
  readonly #busy: number[]
  #failure: FixpointError | undefined
  #wake: () => void = () => undefined

  constructor(pairs: readonly Int32Array[], pieces: readonly Uint16Array[], count: number) {
    this.#busy = pieces.map(() => 0)
    this.#threads = Array.from({ length: count }, (_, thread) => {
      const indices = [...pairs.keys()].filter((pair) => pair % count === thread)
      const workerData = { pairs: indices.map((pair) => pairs[pair]), pieces }
      const worker = new Worker(PROGRAM, { eval: true, workerData })
      worker.on('message', (slot: number) => {
        this.#busy[slot] = (this.#busy[slot] ?? 0) - 1
        this.#wake()
      })
      worker.on('error', (cause) => this.#fail(cause))
      worker.on('exit', () => this.#fail(undefined))
      return { worker, indices }
    })
  }

  /** Resolves when no thread works on a piece. Rejects with `parity-thread` when one has ended. */
  async untilFree(slot: number): Promise<void> {
    while (this.#failure === undefined && this.#busy[slot] !== 0)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Adds the first `length` words of a piece, with two factors for each pair. */
  add(slot: number, length: number, factors: Uint16Array): void {
    this.#busy[slot] = this.#threads.length
    for (const { worker, indices } of this.#threads) {
      const own = indices.flatMap((pair) => [...factors.subarray(2 * pair, 2 * pair + 2)])
      worker.postMessage({ slot, length, factors: Uint16Array.from(own) })
    }
  }

  async close(): Promise<void> {
    for (const { worker } of this.#threads) worker.removeAllListeners('exit')
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }

  #fail(cause: unknown): void {
    this.#failure ??= new FixpointError(
      'parity-thread',
      'Cannot compute parity: one of its threads has ended',
      { cause },
    )
    this.#wake()
  }
}
