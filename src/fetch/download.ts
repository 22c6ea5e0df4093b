import type { OutgoingHttpHeaders } from 'node:http'
import type { Digest } from '../base/digest.ts'
import { PlaceFailure, tooLarge } from './failure.ts'
import { get, type Trust } from './http.ts'
import {
  discardPartial,
  originOf,
  partialSize,
  readPartial,
  writeOrigin,
  type PartialFile,
} from './partial.ts'
import { shownAddress } from './addresses.ts'
import type { Limits } from './ports.ts'
import { meaningOf, rangeHeaders } from './partial-response.ts'
import { openSink } from './hashed-file.ts'
import type { Transfer, TransferResult } from './transfer.ts'

/** A download that survives its run: the file at `path` and its note stay until it is whole. */
export interface Download extends Transfer, Trust {
  readonly url: URL
  readonly wanted: Digest
  readonly limits: Limits
  /** Headers of every request, such as one that says who asks. */
  readonly headers?: OutgoingHttpHeaders | undefined
  /** Waits; rejects with the signal's reason when that aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly onRetry: (reason: string) => void
}

/** An attempt that got on by so many bytes was worth it: the count of failures starts again. */
const HEADWAY = 1 << 20

/** The longest a server may make us wait, milliseconds. */
const LONGEST_WAIT = 60_000

/**
 * Downloads `url` to `path`, going on where an earlier run or attempt stopped. Rejects with
 * PlaceFailure when the place does not deliver; what had come stays then. The result's digest may
 * be another than wanted, but never because of a spoilt part from before.
 */
export async function download(job: Download): Promise<TransferResult> {
  let failures = 0
  let farthest = await partialSize(job.path)
  for (;;) {
    try {
      const { resumed, ...result } = await attempt(job)
      if (result.digest === job.wanted || !resumed) return result
      await discardPartial(job.path)
      job.onRetry('sha256 differs after going on with an earlier part, from the start again')
    } catch (error) {
      if (!(error instanceof PlaceFailure) || !error.retry) throw error
      const reached = await partialSize(job.path)
      if (reached >= farthest + HEADWAY) failures = 0
      farthest = Math.max(farthest, reached)
      const delay = job.limits.delays[failures++]
      if (delay === undefined) throw error
      job.onRetry(error.message)
      await job.sleep(Math.max(delay, Math.min(error.waitMs, LONGEST_WAIT)), job.signal)
    }
  }
}

async function attempt(job: Download): Promise<TransferResult & { resumed: boolean }> {
  const { url, path, wanted, limits, signal, trusted, identity, headers } = job
  const address = shownAddress(url)
  const partial = await readPartial(path, address, limits.bytes)
  if (partial?.digest === wanted) return { digest: wanted, bytes: partial.bytes, resumed: true }
  const all = { ...headers, ...rangeHeaders(partial) }
  const reply = await get(url, all, limits, signal, { trusted, identity })
  try {
    const meaning = meaningOf(reply.status, reply.headers, partial)
    if (meaning.body === 'stale') {
      await discardPartial(path)
      return await attempt(job)
    }
    const prefix = meaning.body === 'rest' ? partial : undefined
    job.onStart(meaning.size)
    const result = await receive(reply.chunks, meaning.size, prefix, job, () =>
      writeOrigin(path, originOf(address, reply.headers, meaning.size)),
    )
    return { ...result, resumed: prefix !== undefined }
  } finally {
    reply.discard()
  }
}

/**
 * Writes the body after `prefix`, or in place of what was there; never more than the file has, or
 * may have.
 */
async function receive(
  chunks: AsyncIterable<Buffer>,
  size: number | undefined,
  prefix: PartialFile | undefined,
  { path, onProgress, limits }: Download,
  note: () => Promise<void>,
): Promise<TransferResult> {
  if (size !== undefined && size > limits.bytes) throw tooLarge(limits.bytes)
  const sink = await openSink(path, prefix)
  let excess = false
  try {
    // After the old bytes are gone and before new ones come: the note must never vouch for another
    // file's bytes.
    if (prefix === undefined) await note()
    for await (const chunk of chunks) {
      excess = sink.bytes + chunk.length > (size ?? limits.bytes)
      if (excess) break
      await sink.write(chunk)
      onProgress(sink.bytes, size)
    }
  } finally {
    await sink.close()
  }
  if (excess) {
    // What came is another file's beginning, or that of none.
    await discardPartial(path)
    if (size === undefined) throw tooLarge(limits.bytes)
    throw new PlaceFailure(`sends more than the ${String(size)} bytes of the file`, {
      retry: prefix !== undefined,
    })
  }
  if (size !== undefined && sink.bytes < size)
    throw new PlaceFailure(`ended after ${String(sink.bytes)} of ${String(size)} bytes`, {
      retry: true,
    })
  return { digest: sink.digest(), bytes: sink.bytes }
}
