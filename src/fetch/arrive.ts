import type { Digest } from '../base/digest.ts'
import type { EventSink } from '../base/events.ts'
import { explainDiskFull } from '../base/files.ts'
import { visible } from '../base/visible.ts'
import type { LocalCandidate, RemoteCandidate } from './candidates.ts'
import { download } from './download.ts'
import { copyLocal } from './local.ts'
import type { FetchStore, Limits } from './ports.ts'
import type { Transfer, TransferResult } from './transfer.ts'

/** Least time between two progress events of a file, milliseconds. */
const PROGRESS_MS = 100

/** How files come in. */
export interface Receiving {
  readonly emit: EventSink
  readonly now: () => number
  readonly limits: Limits
  /** Waits; rejects with the signal's reason when that aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A file that is to come. */
export interface Wanted {
  /** What people know it by. */
  readonly name: string
  readonly digest: Digest
}

/**
 * Brings what a place has to `path`, and says so as events. The result's digest may be another than
 * wanted. Rejects with PlaceFailure when the place does not deliver.
 */
export function arrive(
  { name, digest }: Wanted,
  candidate: LocalCandidate | RemoteCandidate,
  path: string,
  receiving: Receiving,
  signal: AbortSignal,
): Promise<TransferResult> {
  const place = visible(candidate.label)
  const { limits, sleep, emit, now } = receiving
  const transfer = transferOf(name, place, path, receiving, signal)
  if (candidate.kind === 'local') return copyLocal(candidate.path, limits.bytes, transfer)
  const { url, trusted, identity, headers } = candidate
  return download({
    ...transfer,
    url,
    trusted,
    identity,
    headers,
    wanted: digest,
    limits,
    sleep,
    onRetry: (reason) => {
      emit({ type: 'fetch-retry', at: now(), source: name, place, reason })
    },
  })
}

/** Moves in a file whose digest is right: it was hashed as it arrived. Fails with `disk-full`. */
export async function commitArrived(
  { blobs }: FetchStore,
  path: string,
  digest: Digest,
): Promise<void> {
  try {
    await blobs.commit(path, digest)
  } catch (error) {
    throw explainDiskFull(error, path)
  }
}

/**
 * Turns what happens to a transfer into events: one start for each place, progress now and then.
 */
function transferOf(
  name: string,
  place: string,
  path: string,
  { emit, now }: Receiving,
  signal: AbortSignal,
): Transfer {
  let started = false
  let last = now()
  return {
    path,
    signal,
    onStart: (size) => {
      if (!started) emit({ type: 'fetch-start', at: now(), source: name, place, size })
      started = true
    },
    onProgress: (bytes, size) => {
      const at = now()
      if (at - last < PROGRESS_MS) return
      last = at
      emit({ type: 'fetch-progress', at, source: name, bytes, size })
    },
  }
}
