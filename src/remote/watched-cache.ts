import type { Digest } from '../base/digest.ts'
import type { EventSink } from '../base/events.ts'
import { visible } from '../base/visible.ts'
import type { BlobPlace } from '../fetch/candidates.ts'
import { CacheFault, type Cache } from './cache.ts'

/** Failures in a row after which a cache is left alone. */
const PATIENCE = 3

/**
 * A cache whose failures are no failures of ours: they are counted, the first one is a warning, and
 * after some in a row it is not asked any more.
 */
export class WatchedCache implements BlobPlace {
  readonly cache: Cache
  readonly #emit: EventSink
  readonly #now: () => number
  readonly #warned = new Set<string>()
  #inARow = 0

  constructor(cache: Cache, emit: EventSink, now: () => number) {
    this.cache = cache
    this.#emit = emit
    this.#now = now
  }

  get isOff(): boolean {
    return this.#inARow >= PATIENCE
  }

  blob(digest: Digest): ReturnType<BlobPlace['blob']> {
    return this.isOff ? undefined : this.cache.blob(digest)
  }

  /**
   * What `use` gives; undefined when the cache is off, or fails. Rejects with everything else that
   * `use` does.
   */
  async try<T>(use: (cache: Cache) => Promise<T>): Promise<T | undefined> {
    if (this.isOff) return undefined
    try {
      const result = await use(this.cache)
      this.#inARow = 0
      return result
    } catch (error) {
      if (!(error instanceof CacheFault)) throw error
      this.fault('failed', error.message)
      return undefined
    }
  }

  /** Counts a failure. The first of each kind is a warning. */
  fault(kind: 'failed' | 'refused', reason: string): void {
    this.#inARow += 1
    if (this.#warned.has(kind)) return
    this.#warned.add(kind)
    const did = kind === 'failed' ? 'failed' : 'has data that cannot be used'
    const message =
      `Cache "${this.cache.shown}" ${did}: ${visible(reason)}; ` +
      'what it does not deliver is built here'
    this.#emit({ type: 'warning', at: this.#now(), message })
  }
}
