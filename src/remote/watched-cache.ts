import type { Digest } from '../base/digest.ts'
import type { EventSink } from '../base/events.ts'
import { visible } from '../base/visible.ts'
import type { BlobPlace } from '../fetch/candidates.ts'
import { CacheFault, type Cache } from './cache.ts'

/** Failures in a row after which a cache is left alone. */
const PATIENCE = 3

/** How failures of a cache are reported. */
export interface Watch {
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** What becomes of what the cache does not do; a part of the warning, if there is anything. */
  readonly outcome: string | undefined
}

/**
 * A cache whose failures are no failures of ours: they are counted, the first one is a warning, and
 * after some in a row it is not asked any more. Nor is one that kept us waiting once.
 */
export class WatchedCache implements BlobPlace {
  readonly cache: Cache
  readonly #watch: Watch
  readonly #problems = new Map<'failed' | 'refused', string>()
  readonly #end = new AbortController()
  #inARow = 0

  constructor(cache: Cache, watch: Watch) {
    this.cache = cache
    this.#watch = watch
  }

  get isOff(): boolean {
    return this.#end.signal.aborted
  }

  /** Why it failed first, if it did. */
  get failure(): string | undefined {
    return this.#problems.get('failed')
  }

  /** What it has that cannot be used, if anything. */
  get refused(): string | undefined {
    return this.#problems.get('refused')
  }

  blob(digest: Digest): ReturnType<BlobPlace['blob']> {
    return this.isOff ? undefined : this.cache.blob(digest)
  }

  /**
   * What `use` gives; undefined when the cache is off, or fails. Its signal aborts as soon as the
   * cache is off, so that nobody waits for what others have waited for. Rejects with everything
   * else that `use` does.
   */
  async try<T>(
    signal: AbortSignal,
    use: (cache: Cache, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.isOff) return undefined
    try {
      const result = await use(this.cache, AbortSignal.any([signal, this.#end.signal]))
      this.#inARow = 0
      return result
    } catch (error) {
      if (!(error instanceof CacheFault)) throw error
      this.fault('failed', error.message, error.isLate)
      return undefined
    }
  }

  /** Counts a failure. The first of each kind is a warning. */
  fault(kind: 'failed' | 'refused', reason: string, isLate = false): void {
    this.#inARow = isLate ? PATIENCE : this.#inARow + 1
    const isKnown = this.#problems.has(kind)
    if (!isKnown) this.#problems.set(kind, visible(reason))
    if (this.#inARow >= PATIENCE) this.#end.abort(new CacheFault('it is not asked any more'))
    if (!isKnown) this.#warn(kind)
  }

  #warn(kind: 'failed' | 'refused'): void {
    const { emit, now, outcome } = this.#watch
    const did = kind === 'failed' ? 'failed' : 'has data that cannot be used'
    const parts = [
      `Cache "${this.cache.shown}" ${did}: ${this.#problems.get(kind) ?? ''}`,
      ...(this.isOff ? ['it is not asked any more'] : []),
      ...(outcome === undefined ? [] : [outcome]),
    ]
    emit({ type: 'warning', at: now(), message: parts.join('; ') })
  }
}
