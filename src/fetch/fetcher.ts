import type PQueue from 'p-queue'
import type { EventSink } from '../base/events.ts'
import type { BlobPlace } from './candidates.ts'
import { isNamed } from './names.ts'
import type { Run } from './obtain.ts'
import {
  DEFAULT_LIMITS,
  type Fetcher,
  type FetchStore,
  type HostPlaces,
  type Limits,
  type NewSources,
} from './ports.ts'
import { SharedWork } from './shared.ts'
import { sleep } from './sleep.ts'

/** Everything a fetcher needs. */
export interface FetcherOptions {
  readonly store: FetchStore
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock since the engine's start. */
  readonly now: () => number
  /** Mirror folders of the command line, asked before all others. */
  readonly from?: readonly string[] | undefined
  /**
   * Configured mirrors: absolute folders, `file:` or base addresses. Folders are asked before
   * addresses.
   */
  readonly mirrors?: readonly string[] | undefined
  /**
   * Base addresses (`http:`, `https:`, `file:`) of Debian archives; none: the host's apt set-up.
   */
  readonly debian?: readonly string[] | undefined
  /** Address of the npm registry; none: what npm is set up for. */
  readonly npm?: string | undefined
  /** Caches, asked after all mirrors; opened when a source is not there. */
  readonly caches?: (() => Promise<readonly BlobPlace[]>) | undefined
  /** Use the store, folders and `file:` places only. */
  readonly offline?: boolean | undefined
  /** Sources under way at once. Default 4. */
  readonly jobs?: number | undefined
  readonly limits?: { readonly [Name in keyof Limits]?: Limits[Name] | undefined } | undefined
  /** Replaces what is asked of the host, for tests and the appliance. */
  readonly host?: { readonly [Name in keyof HostPlaces]?: HostPlaces[Name] | undefined } | undefined
  /** Waits between attempts; rejects when the signal aborts. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}

/** The fetch stage. One fetcher serves a whole run, so that requests for the same source meet. */
export function createFetcher(options: FetcherOptions): Fetcher & NewSources {
  const queue = once(() => queueOf(options.jobs ?? 4))
  const shared = new SharedWork()
  const run = settle(options)
  return {
    async fetchNew(place, signal) {
      const { obtainNew } = await import('./obtain-new.ts')
      return obtainNew(place, run, signal)
    },
    fetch(source, signal) {
      // The places are part of it: who names other places may succeed where the first did not.
      const key = JSON.stringify([source.sha256, source.name, source.from])
      return shared.run(key, source.name, signal, async (all) => {
        if (options.store.blobs.has(source.sha256) && isNamed(source, options.store)) return
        // Most runs have all sources: what fetches them is loaded with the first that is missing.
        const { obtain } = await import('./obtain.ts')
        await inTurn(await queue(), all, () => obtain(source, run, all))
      })
    },
  }
}

async function queueOf(concurrency: number): Promise<PQueue> {
  const { default: Queue } = await import('p-queue')
  return new Queue({ concurrency })
}

/**
 * Waits for a turn in the queue, which `signal` may cut short; work that has begun is left to wind
 * down by itself, its turn kept until then.
 */
async function inTurn(
  queue: PQueue,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  signal.throwIfAborted()
  const waiting = new AbortController()
  const giveUp = (): void => {
    waiting.abort(signal.reason)
  }
  signal.addEventListener('abort', giveUp)
  const begin = (): Promise<void> => {
    signal.removeEventListener('abort', giveUp)
    return work()
  }
  await queue.add(begin, { signal: waiting.signal })
}

function settle(options: FetcherOptions): Run {
  const limits = options.limits ?? {}
  return {
    store: options.store,
    emit: options.emit,
    now: options.now,
    from: options.from ?? [],
    mirrors: options.mirrors ?? [],
    debian: options.debian ?? [],
    npm: options.npm,
    offline: options.offline ?? false,
    caches: options.caches ?? (() => Promise.resolve([])),
    limits: {
      connectMs: limits.connectMs ?? DEFAULT_LIMITS.connectMs,
      idleMs: limits.idleMs ?? DEFAULT_LIMITS.idleMs,
      pace: limits.pace ?? DEFAULT_LIMITS.pace,
      redirects: limits.redirects ?? DEFAULT_LIMITS.redirects,
      bytes: limits.bytes ?? DEFAULT_LIMITS.bytes,
      delays: limits.delays ?? DEFAULT_LIMITS.delays,
    },
    host: {
      aptBases: once(
        options.host?.aptBases ?? (async () => (await import('./apt.ts')).readAptBases()),
      ),
      npmRegistry: once(
        options.host?.npmRegistry ?? (async () => (await import('./npm.ts')).readNpmRegistry()),
      ),
      npmCertificates: once(
        options.host?.npmCertificates ??
          (async () => (await import('./npm.ts')).readNpmCertificates()),
      ),
    },
    sleep: options.sleep ?? sleep,
  }
}

/** Asks once and keeps the answer; a failure is kept too, as it would not differ within a run. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => (answer ??= ask())
}
