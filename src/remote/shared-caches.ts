import PQueue from 'p-queue'
import type { Digest } from '../base/digest.ts'
import type { EventSink } from '../base/events.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { SharedAction, SharedResults } from '../build/shared-results.ts'
import type { Receiving } from '../fetch/arrive.ts'
import { obtainBlob } from '../fetch/obtain-blob.ts'
import type { IndexEntry } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import { askSigners } from './ask-signers.ts'
import type { Signer } from './keys.ts'
import type { Sharing } from './sharing.ts'
import { agreed, requireSame, type Vote } from './votes.ts'
import type { WatchedCache } from './watched-cache.ts'

/** Questions that are asked at once. */
const QUESTIONS = 16

/** Blobs that come in at once. */
const DOWNLOADS = 4

/** Milliseconds that what is being written gets when the build has ended. */
const LINGER_MS = 30_000

/** What a build reads from. */
export interface Readers {
  /** In the order they are asked. */
  readonly caches: readonly WatchedCache[]
  /** Who may vouch for results; `undefined` is one who need not be named. */
  readonly signers: readonly (Signer | undefined)[]
  /** How many of them must. */
  readonly need: number
}

/** A result whose bytes may be had. */
interface Offer {
  readonly recipe: RecipeId
  readonly size: number
}

/** Results of other machines, in caches. */
export class SharedCaches implements SharedResults {
  readonly #readers: Readers
  readonly #sharing: Sharing | undefined
  readonly #store: Store
  readonly #receiving: Receiving
  readonly #emit: EventSink
  readonly #questions = new PQueue({ concurrency: QUESTIONS })
  readonly #downloads = new PQueue({ concurrency: DOWNLOADS })
  readonly #offers = new Map<Digest, Offer>()
  readonly #votes = new Map<Digest, readonly Vote[]>()
  readonly #short = new Map<RecipeId, readonly string[]>()
  readonly #coming = new Map<Digest, Promise<void>>()

  constructor(readers: Readers, sharing: Sharing | undefined, store: Store, receiving: Receiving) {
    this.#readers = readers
    this.#sharing = sharing
    this.#store = store
    this.#receiving = receiving
    this.#emit = receiving.emit
  }

  async find(action: SharedAction, signal: AbortSignal): Promise<boolean> {
    const { recipe, key } = action
    const { caches, signers, need } = this.#readers
    const votes = await this.#questions.add(() => askSigners(key, signers, caches, signal))
    this.#votes.set(key, votes)
    const used = agreed(recipe, votes, need)
    const [first] = used
    if (first === undefined) {
      this.#short.set(recipe, namesOf(votes))
      return false
    }
    const { artifact, size } = first.record
    const known = this.#store.index.artifactOf(key)
    if (known !== undefined) requireSame(recipe, known, used)
    else await this.#record(action, used, first)
    this.#offers.set(artifact, { recipe, size })
    const { cache } = first
    const at = this.#receiving.now()
    this.#emit({ type: 'action-shared', at, recipe, key, artifact, cache, signers: namesOf(used) })
    return true
  }

  /** Who signed the result of a recipe that too few signed. */
  signersOf(recipe: RecipeId): readonly string[] {
    return this.#short.get(recipe) ?? []
  }

  offers(artifact: Digest): boolean {
    return this.#offers.has(artifact)
  }

  bring(artifact: Digest, signal: AbortSignal): Promise<void> {
    let coming = this.#coming.get(artifact)
    if (coming === undefined) {
      coming = this.#downloads
        .add(() => this.#obtain(artifact, signal))
        .finally(() => this.#coming.delete(artifact))
      this.#coming.set(artifact, coming)
    }
    return coming
  }

  compare({ recipe, key, artifact }: IndexEntry): void {
    requireSame(recipe, artifact, this.#votes.get(key) ?? [])
  }

  share(entry: IndexEntry): void {
    this.#sharing?.add(entry)
  }

  async close(): Promise<void> {
    await this.#sharing?.close(LINGER_MS)
  }

  async #record(
    action: SharedAction,
    votes: readonly Vote[],
    { cache, record }: Vote,
  ): Promise<void> {
    const { recipe, key, document } = action
    const { artifact, size, durationMs, cpuMs, peakMemory, builder, engine } = record
    const origin = { cache, signers: namesOf(votes), builder, engine }
    const used = { durationMs, cpuMs, peakMemory }
    await this.#store.index.record(key, { recipe, key, artifact, document, size, ...used, origin })
  }

  async #obtain(artifact: Digest, signal: AbortSignal): Promise<void> {
    const offer = this.#offers.get(artifact)
    if (offer === undefined || this.#store.blobs.has(artifact)) return
    const { recipe, size } = offer
    const wanted = { name: recipe, digest: artifact, size }
    const { caches } = this.#readers
    const undelivered = await obtainBlob(wanted, caches, this.#store, this.#receiving, signal)
    if (undelivered === undefined) return
    this.#offers.delete(artifact)
    for (const { place, reason, isAbsent, isLate } of undelivered) {
      const watched = caches.find((cache) => cache === place)
      if (!isAbsent) watched?.fault('failed', `${recipe}: ${reason}`, isLate)
    }
  }
}

function namesOf(votes: readonly Vote[]): string[] {
  return votes.flatMap(({ signer }) => signer ?? [])
}
