import { once } from 'node:events'
import PQueue from 'p-queue'
import type { EventSink } from '../base/events.ts'
import { FixpointError } from '../base/error.ts'
import type { IndexEntry } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import { CacheFault } from './cache.ts'
import { pushResult, type Writer } from './push.ts'
import { WatchedCache } from './watched-cache.ts'

/** Results that are written at once. */
const WRITERS = 2

/** Writes results beside a build, which it neither delays nor fails. */
export class Sharing {
  readonly #writer: Writer
  readonly #watched: WatchedCache
  readonly #store: Store
  readonly #emit: EventSink
  readonly #now: () => number
  readonly #end = new AbortController()
  readonly #queue = new PQueue({ concurrency: WRITERS })
  #left = 0

  constructor(writer: Writer, store: Store, emit: EventSink, now: () => number) {
    this.#writer = writer
    const outcome = 'results that it does not take are only here; `cache push` writes them later'
    this.#watched = new WatchedCache(writer.cache, { emit, now, outcome })
    this.#store = store
    this.#emit = emit
    this.#now = now
  }

  /** Takes a result. Never fails. */
  add(entry: IndexEntry): void {
    this.#left += 1
    void this.#queue.add(() => this.#write(entry))
  }

  /** Resolves when everything is written, or after `lingerMs` milliseconds. Never fails. */
  async close(lingerMs: number): Promise<void> {
    const limit = AbortSignal.timeout(lingerMs)
    if (this.#left > 0) await Promise.race([this.#queue.onIdle(), once(limit, 'abort')])
    this.#queue.clear()
    this.#end.abort(new FixpointError('interrupted', 'Stopped writing to a cache'))
    // Where it failed, a warning has said so.
    if (this.#left === 0 || this.#watched.failure !== undefined) return
    const { shown } = this.#writer.cache
    this.#warn(`${String(this.#left)} results were not written to cache "${shown}"`)
  }

  async #write(entry: IndexEntry): Promise<void> {
    try {
      const { signal } = this.#end
      const pushed = await this.#watched.try(signal, (_, own) =>
        pushResult(entry, this.#writer, this.#store, own),
      )
      if (pushed !== undefined) this.#left -= 1
    } catch (error) {
      // The result stays in the store; that it could not be shared must not fail its build.
      if (this.#end.signal.aborted) return
      this.#warn(`Cannot write ${entry.recipe} to a cache: ${messageOf(error)}`)
    }
  }

  #warn(message: string): void {
    this.#emit({ type: 'warning', at: this.#now(), message })
  }
}

function messageOf(error: unknown): string {
  return error instanceof FixpointError || error instanceof CacheFault
    ? error.message
    : String(error)
}
