import { setMaxListeners } from 'node:events'
import { interrupted } from './failure.ts'

/** Work under way that several callers wait for. */
interface Running {
  readonly promise: Promise<void>
  readonly controller: AbortController
  waiting: number
}

/**
 * Runs work for a key once, however many ask for it at the same time; it is cancelled when all who
 * asked have given up.
 */
export class SharedWork {
  readonly #running = new Map<string, Running>()

  /**
   * Joins or starts the work for `key`. Rejects as the work does, or with `interrupted` for `name`
   * when `signal` aborts; the last to give up waits until the work has wound down, so that no file
   * is open afterwards.
   */
  async run(
    key: string,
    name: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (signal?.aborted) throw interrupted(name, signal.reason)
    const running = this.#running.get(key) ?? this.#start(key, work)
    running.waiting++
    if (signal === undefined) return running.promise
    // One signal ends a whole run, and any number of requests may wait on it.
    setMaxListeners(0, signal)
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        const error = interrupted(name, signal.reason)
        if (--running.waiting > 0) {
          reject(error)
          return
        }
        // Forgotten at once: who asks from now on must not join work that is being cancelled.
        if (this.#running.get(key) === running) this.#running.delete(key)
        running.controller.abort(error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      running.promise.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', giveUp)
      })
    })
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<void>): Running {
    const controller = new AbortController()
    const promise = work(controller.signal).finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key)
    })
    const running: Running = { promise, controller, waiting: 0 }
    this.#running.set(key, running)
    return running
  }
}
