import { rm } from 'node:fs/promises'
import { digestOf, type Digest } from '../base/digest.ts'
import type { FileSource } from '../metadata/model.ts'
import { fileNameOf, parsePlace } from '../metadata/format/source-places.ts'
import { arrive, commitArrived } from './arrive.ts'
import { candidates } from './candidates.ts'
import { newSourceError, PlaceFailure, type Reason } from './failure.ts'
import { claimedNames } from './names.ts'
import type { Run } from './obtain.ts'
import { discardPartial } from './partial.ts'
import type { NewSource } from './ports.ts'

/** No file has this digest. */
const UNKNOWN = '0'.repeat(64) as Digest

/**
 * Brings what a place of `from:` has into the store, whatever its digest is: a person is to look at
 * it. Waits while another run does so. Rejects as {@link Fetcher.fetch} does.
 */
export async function obtainNew(place: string, run: Run, signal: AbortSignal): Promise<NewSource> {
  // Goes on where an earlier run stopped; its note says of which address that was.
  const standIn = digestOf(place)
  const staging = await run.store.sources.partialPath(standIn)
  const claim = await run.store.sources.claim(standIn, signal)
  try {
    return await bringAny(place, staging, run, signal)
  } finally {
    await claim.release()
  }
}

/** Brings it by the first place that delivers, by way of the file `staging`. */
async function bringAny(
  place: string,
  staging: string,
  run: Run,
  signal: AbortSignal,
): Promise<NewSource> {
  const parsed = parsePlace(place)
  const name = parsed === undefined ? place : fileNameOf(parsed)
  const source: FileSource = { kind: 'file', name, sha256: UNKNOWN, from: [place], to: '.' }
  const own = { ...run, from: [], mirrors: [], caches: () => Promise.resolve([]) }
  const reasons: Reason[] = []
  for await (const candidate of candidates(source, own, false)) {
    signal.throwIfAborted()
    if (candidate.kind === 'none') {
      reasons.push({ place: candidate.label, reason: candidate.reason })
      continue
    }
    const path = candidate.kind === 'local' ? `${staging}.local` : staging
    try {
      const { digest, bytes } = await arrive(
        { name, digest: UNKNOWN },
        candidate,
        path,
        run,
        signal,
      )
      await commitArrived(run.store, path, digest)
      await discardPartial(staging)
      run.store.sources.noteNames(digest, claimedNames(source))
      const at = run.now()
      run.emit({ type: 'fetch-end', at, source: name, place: candidate.label, bytes })
      return { name, digest, size: bytes }
    } catch (error) {
      if (candidate.kind === 'local') await rm(path, { force: true })
      if (!(error instanceof PlaceFailure)) throw error
      reasons.push({ place: candidate.label, reason: error.message })
    }
  }
  throw newSourceError(place, reasons)
}
