import { Turns } from '../../base/turns.ts'

/** What every call here takes beside its subject. */
export interface WorkOptions {
  /** Bytes of memory for data at most; 128 MiB if left out. */
  readonly memory?: number | undefined
  /** Threads that compute; as many as are of use if left out. 0: only the caller's. */
  readonly threads?: number | undefined
  /** Called with the bytes that were worked on, and the bytes that there may be in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Ends the work: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Counts work, reports it, and lets the event loop have turns. */
export class Work {
  readonly turns: Turns
  readonly #onProgress: WorkOptions['onProgress']
  #done = 0
  #total = 0

  constructor({ signal, onProgress }: WorkOptions) {
    this.turns = new Turns(signal)
    this.#onProgress = onProgress
  }

  /** Adds bytes that will have to be worked on. */
  expect(bytes: number): void {
    this.#total += bytes
  }

  /** Call it after every piece of work. Rejects once the signal is aborted. */
  async did(bytes: number): Promise<void> {
    this.#done += bytes
    this.#onProgress?.(Math.min(this.#done, this.#total), this.#total)
    await this.turns.pass()
  }
}

/** Work that a hostile file can cause in vain is limited by this many bytes. */
export class Effort {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Allows more bytes. */
  allow(bytes: number): void {
    this.#left += bytes
  }

  /** Takes bytes off. False when not so many are left. */
  spend(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }
}
