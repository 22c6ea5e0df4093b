import { setMaxListeners } from 'node:events'
import { PlaceFailure } from './failure.ts'
import { get, head, put, type Body, type Told, type Way } from './http.ts'

/** How requests of a server are made. */
export interface Asking extends Way {
  /** Certificates (PEM) beside those of Node. */
  readonly trusted?: readonly string[]
  /** The longest that a server may make us wait before the next attempt, milliseconds. */
  readonly longestWaitMs: number
  /** Waits; rejects with the signal's reason when that aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** What came of a request: a status, or why there is none. A server may have chosen the reason. */
export type Answer =
  | (Omit<Told, 'retryAfter'> & { readonly bytes: Buffer })
  | { readonly status: undefined; readonly reason: string; readonly isLate: boolean }

/**
 * GET of a file of at most `limits.bytes`, again where the failure may pass. Never rejects but with
 * the signal's reason.
 */
export function askFor(url: URL, asking: Asking): Promise<Answer> {
  return again(asking, async ({ headers, limits, signal, trusted, identity }) => {
    const reply = await get(url, headers, limits, signal, { trusted, identity })
    try {
      retryOn(reply.status, reply.headers['retry-after'])
      const bytes = reply.status === 200 ? await allOf(reply.chunks, limits.bytes) : Buffer.alloc(0)
      return { status: reply.status, bytes, size: bytes.length, elsewhere: undefined }
    } finally {
      reply.discard()
    }
  })
}

/** HEAD, as {@link askFor} does GET; no bytes come. */
export function askAbout(url: URL, asking: Asking): Promise<Answer> {
  return again(asking, async (way) => {
    return answerOf(await head(url, way))
  })
}

/** PUT, as {@link askFor} does GET. Rejects as reading the body does, too. */
export function send(url: URL, body: Body, asking: Asking): Promise<Answer> {
  return again(asking, async (way) => {
    return answerOf(await put(url, body, way))
  })
}

function answerOf({ retryAfter, ...told }: Told): Answer {
  retryOn(told.status, retryAfter)
  return { ...told, bytes: Buffer.alloc(0) }
}

async function again(
  asking: Asking,
  attempt: (asking: Asking) => Promise<Answer>,
): Promise<Answer> {
  // One signal ends a whole run, and many requests may wait on it.
  setMaxListeners(0, asking.signal)
  for (let failures = 0; ;) {
    try {
      return await attempt(asking)
    } catch (error) {
      if (!(error instanceof PlaceFailure)) throw error
      const delay = error.retry ? asking.limits.delays[failures++] : undefined
      if (delay === undefined)
        return { status: undefined, reason: error.message, isLate: error.isLate }
      const wait = Math.max(delay, Math.min(error.waitMs, asking.longestWaitMs))
      await asking.sleep(wait, asking.signal)
    }
  }
}

/** Fails for a status that may be another one a little later. A full server stays full. */
function retryOn(status: number, retryAfter: string | undefined): void {
  if (status !== 429 && status !== 408 && (status < 500 || status === 507)) return
  const seconds = /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) : 0
  throw new PlaceFailure(`HTTP status ${String(status)}`, { retry: true, waitMs: seconds * 1000 })
}

async function allOf(chunks: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > most) throw new PlaceFailure(`sends more than ${String(most)} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}
