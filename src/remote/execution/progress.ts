import { RemoteFault } from './fault.ts'

/** Ends what makes no progress. */
export class Progress {
  /** Aborts when the caller's signal does, and when nothing has moved for too long. */
  readonly signal: AbortSignal
  readonly #idle = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #ms: number

  constructor(signal: AbortSignal, ms: number) {
    this.#ms = ms
    this.signal = AbortSignal.any([signal, this.#idle.signal])
    this.#timer = setTimeout(() => {
      this.#idle.abort()
    }, ms)
  }

  /** Something has moved. */
  moved(): void {
    this.#timer.refresh()
  }

  /** Nothing more is to move. `error`: what was thrown; a fault in its place if that was idleness. */
  end(error: unknown, doing: string): unknown {
    clearTimeout(this.#timer)
    if (!this.#idle.signal.aborted) return error
    const seconds = String(this.#ms / 1000)
    return new RemoteFault('lost', `${doing}: nothing moved for ${seconds} s`, error)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
