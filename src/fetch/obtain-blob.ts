import { setMaxListeners } from 'node:events'
import { rm } from 'node:fs/promises'
import { visible } from '../base/visible.ts'
import { arrive, commitArrived, type Receiving, type Wanted } from './arrive.ts'
import type { BlobPlace } from './candidates.ts'
import { PlaceFailure } from './failure.ts'
import { discardPartial } from './partial.ts'
import type { FetchStore, Limits } from './ports.ts'

/** A blob whose size is known, too. */
export interface WantedBlob extends Wanted {
  /** Bytes. No more are taken. */
  readonly size: number
}

/** Why a place did not deliver a blob. */
export interface Undelivered {
  readonly place: BlobPlace
  readonly reason: string
  /** True when the place works, and just does not have the blob. */
  readonly isAbsent: boolean
  /** True when the place let us wait for longer than it may. */
  readonly isLate: boolean
}

/**
 * Brings a blob into the store from the first of `places` that has it, unless another engine has
 * meanwhile. It is hashed while it arrives. Resolves to why no place delivered, or to undefined
 * once it is there. Rejects with `disk-full`, `staging-unwritable` or the signal's reason.
 */
export async function obtainBlob(
  wanted: WantedBlob,
  places: readonly BlobPlace[],
  store: FetchStore,
  receiving: Receiving,
  signal: AbortSignal,
): Promise<readonly Undelivered[] | undefined> {
  setMaxListeners(0, signal)
  const staging = await store.sources.partialPath(wanted.digest)
  const claim = await store.sources.claim(wanted.digest, signal)
  try {
    const reasons: Undelivered[] = []
    for (const place of places) {
      if (store.blobs.has(wanted.digest)) return undefined
      const undelivered = await tryPlace(wanted, place, staging, store, receiving, signal)
      if (undelivered === undefined) return undefined
      reasons.push(undelivered)
    }
    if (store.blobs.has(wanted.digest)) return undefined
    // It is built instead, so nobody goes on with a part of it.
    await discardPartial(staging)
    return reasons
  } finally {
    await claim.release()
  }
}

async function tryPlace(
  wanted: WantedBlob,
  place: BlobPlace,
  staging: string,
  store: FetchStore,
  receiving: Receiving,
  signal: AbortSignal,
): Promise<Undelivered | undefined> {
  const candidate = place.blob(wanted.digest)
  const fails = (reason: string, is: Partial<PlaceFailure> = {}): Undelivered => {
    return { place, reason, isAbsent: is.isAbsent ?? false, isLate: is.isLate ?? false }
  }
  if (candidate === undefined) return fails('is not asked any more', { isAbsent: true })
  const shown = visible(candidate.label)
  // A copy must not spoil a partial download: the copy may turn out wrong.
  const path = candidate.kind === 'local' ? `${staging}.local` : staging
  const limits = { ...receiving.limits, bytes: wanted.size }
  const time = inTime(wanted.size, limits, signal)
  try {
    const { digest, bytes } = await arrive(
      wanted,
      candidate,
      path,
      { ...receiving, limits },
      time.signal,
    )
    if (digest !== wanted.digest || bytes !== wanted.size) {
      await discardPartial(path)
      const reason = `sent ${String(bytes)} bytes with sha256 ${digest}`
      return fails(`${reason}, not ${sizeAndDigest(wanted)}`)
    }
    await commitArrived(store, path, wanted.digest)
    await discardPartial(staging)
    const { emit, now } = receiving
    emit({ type: 'fetch-end', at: now(), source: wanted.name, place: shown, bytes })
    return undefined
  } catch (error) {
    if (candidate.kind === 'local') await rm(path, { force: true })
    if (!(error instanceof PlaceFailure)) throw error
    return error.isTooLarge
      ? fails(`has more than the ${String(wanted.size)} bytes that its record says`)
      : fails(error.message, error)
  } finally {
    time.end()
  }
}

/** A signal that also ends what a place delivers too slowly, with a PlaceFailure. */
function inTime(
  size: number,
  { whole }: Limits,
  signal: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  if (whole === undefined) return { signal, end: () => undefined }
  const seconds = Math.ceil(whole.ms / 1000 + size / whole.bytesPerSecond)
  const late = new AbortController()
  const timer = setTimeout(
    () => {
      const reason = `too slow: ${String(size)} bytes did not come within ${String(seconds)} s`
      late.abort(new PlaceFailure(reason, { isLate: true }))
    },
    Math.min(whole.ms + (size / whole.bytesPerSecond) * 1000, 2 ** 31 - 1),
  )
  return {
    signal: AbortSignal.any([signal, late.signal]),
    end: () => {
      clearTimeout(timer)
    },
  }
}

function sizeAndDigest({ size, digest }: WantedBlob): string {
  return `${String(size)} with ${digest}`
}
