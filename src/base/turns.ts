/** Milliseconds of synchronous work after which the event loop gets a turn. */
const TURN = 10

/**
 * Long synchronous work in slices: between two of them timers, signals and other actions are
 * served. Many small files are read and written synchronously, since Node's promises cost more than
 * the calls.
 */
export class Turns {
  readonly #signal: AbortSignal | undefined
  #end = performance.now() + TURN

  constructor(signal?: AbortSignal) {
    signal?.throwIfAborted()
    this.#signal = signal
  }

  /** Call it once for each file or chunk. Rejects with the signal's reason once it is aborted. */
  async pass(): Promise<void> {
    if (performance.now() < this.#end) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#signal?.throwIfAborted()
    this.#end = performance.now() + TURN
  }
}
