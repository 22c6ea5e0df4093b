import { rm } from 'node:fs/promises'
import { visible } from '../base/visible.ts'
import type { FileSource } from '../metadata/model.ts'
import { arrive, commitArrived, type Receiving } from './arrive.ts'
import { candidates, type Candidate, type PlaceOptions } from './candidates.ts'
import { PlaceFailure, sourceError, type Reason } from './failure.ts'
import { claimedNames, isNamed } from './names.ts'
import { discardPartial } from './partial.ts'
import type { FetchStore } from './ports.ts'

/** Options with nothing left open. */
export interface Run extends PlaceOptions, Receiving {
  readonly store: FetchStore
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
  const reasons = await tryAll(job, false, (path) => commitArrived(run.store, path, source.sha256))
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
    const wanted = { name: source.name, digest: source.sha256 }
    const { digest, bytes } = await arrive(wanted, candidate, path, run, signal)
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
