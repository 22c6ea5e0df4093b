import { rm } from 'node:fs/promises'
import type { EventSink } from '../base/events.ts'
import { explainDiskFull } from '../base/files.ts'
import { visible } from '../base/visible.ts'
import type { FileSource } from '../metadata/model.ts'
import {
  candidates,
  type Candidate,
  type PlaceOptions,
  type RemoteCandidate,
} from './candidates.ts'
import { download } from './download.ts'
import { PlaceFailure, sourceError, type Reason } from './failure.ts'
import { copyLocal } from './local.ts'
import { claimedNames, isNamed } from './names.ts'
import { discardPartial } from './partial.ts'
import type { FetchStore, Limits } from './ports.ts'
import type { Transfer, TransferResult } from './transfer.ts'

/** Least time between two progress events of a source, milliseconds. */
const PROGRESS_MS = 100

/** Options with nothing left open. */
export interface Run extends PlaceOptions {
  readonly store: FetchStore
  readonly emit: EventSink
  readonly now: () => number
  readonly limits: Limits
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * Brings a source into the store, unless another engine has meanwhile. Asks a place for a stored
 * one that is known by other names only. Rejects as {@link Fetcher.fetch} does.
 */
export async function obtain(source: FileSource, run: Run, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const staging = await run.store.sources.partialPath(source.sha256)
  const claim = await run.store.sources.claim(source.sha256, signal)
  try {
    const job = { source, staging, run, signal }
    // Another engine may have brought it while this one waited.
    if (!run.store.blobs.has(source.sha256)) await bring(job)
    if (!isNamed(source, run.store)) await confirm(job)
  } finally {
    await claim.release()
  }
}

/** One source on its way. */
interface Job {
  readonly source: FileSource
  readonly staging: string
  readonly run: Run
  readonly signal: AbortSignal
}

/** Puts the source into the store, from the first place that has it. */
async function bring(job: Job): Promise<void> {
  const { source, run } = job
  const reasons = await tryAll(job, false, (path) => commit(run.store, path, source))
  if (reasons !== undefined) throw sourceError(source, reasons)
}

/**
 * Asks for a stored source again: its digest is known by other names only. Either two recipes name
 * one file differently, or a recipe's version changed and its digest was forgotten.
 */
async function confirm(job: Job): Promise<void> {
  const { source, run } = job
  const reasons = await tryAll(job, true, discardPartial)
  if (reasons !== undefined)
    throw sourceError(source, reasons, run.store.sources.names(source.sha256))
}

/**
 * Tries places in order; `keep` gets the first file that is right. Undefined then, otherwise why
 * there is none.
 */
async function tryAll(
  job: Job,
  claimedOnly: boolean,
  keep: (path: string) => Promise<void>,
): Promise<readonly Reason[] | undefined> {
  const reasons: Reason[] = []
  for await (const candidate of candidates(job.source, job.run, claimedOnly)) {
    job.signal.throwIfAborted()
    const reason = await tryCandidate(job, candidate, keep)
    if (reason === undefined) return undefined
    reasons.push(reason)
  }
  return reasons
}

/** Undefined when the candidate is the source, otherwise why not. */
async function tryCandidate(
  { source, staging, run, signal }: Job,
  candidate: Candidate,
  keep: (path: string) => Promise<void>,
): Promise<Reason | undefined> {
  // Names of files and lists are in it, which are others' texts.
  const place = visible(candidate.label)
  if (candidate.kind === 'none')
    return {
      place,
      reason: visible(candidate.reason),
      ...(candidate.offline === true && { offline: true }),
    }
  // A copy must not spoil a partial download: the copy may turn out wrong.
  const path = candidate.kind === 'local' ? `${staging}.local` : staging
  try {
    const transfer = transferOf(source, place, path, run, signal)
    const { digest, bytes } =
      candidate.kind === 'local'
        ? await copyLocal(candidate.path, run.limits.bytes, transfer)
        : await fetchRemote(source, place, candidate, transfer, run)
    if (digest !== source.sha256) {
      await discardPartial(path)
      run.emit({
        type: 'warning',
        at: run.now(),
        message:
          `Passed over ${place} for "${visible(source.name)}": sha256 is ${digest}, recipe ` +
          `wants ${source.sha256}`,
      })
      return { place, reason: `sha256 is ${digest}`, actual: digest }
    }
    await keep(path)
    await discardPartial(staging)
    run.store.sources.noteNames(
      source.sha256,
      candidate.proves === undefined ? claimedNames(source) : [candidate.proves],
    )
    run.emit({ type: 'fetch-end', at: run.now(), source: source.name, place, bytes })
    return undefined
  } catch (error) {
    if (candidate.kind === 'local') await rm(path, { force: true })
    if (error instanceof PlaceFailure) return { place, reason: error.message }
    throw error
  }
}

/** Moves in a file whose digest is right. {@link openSink} hashed it as it arrived. */
async function commit(store: FetchStore, path: string, source: FileSource): Promise<void> {
  try {
    await store.blobs.commit(path, source.sha256)
  } catch (error) {
    throw explainDiskFull(error, path)
  }
}

function fetchRemote(
  source: FileSource,
  place: string,
  { url, trusted }: RemoteCandidate,
  transfer: Transfer,
  run: Run,
): Promise<TransferResult> {
  return download({
    ...transfer,
    url,
    trusted,
    wanted: source.sha256,
    limits: run.limits,
    sleep: run.sleep,
    onRetry: (reason) => {
      run.emit({ type: 'fetch-retry', at: run.now(), source: source.name, place, reason })
    },
  })
}

/**
 * Turns what happens to a transfer into events: one start for each place, progress now and then.
 */
function transferOf(
  { name }: FileSource,
  place: string,
  path: string,
  { emit, now }: Run,
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
