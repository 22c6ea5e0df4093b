import {
  get as httpGet,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import { get as httpsGet } from 'node:https'
import { rootCertificates } from 'node:tls'
import { errorCode } from '../base/files.ts'
import { shownAddress } from './addresses.ts'
import { PlaceFailure } from './failure.ts'
import type { Limits } from './ports.ts'

/**
 * A server's answer after redirects. `chunks` rejects with PlaceFailure when the body stalls, drips
 * or ends early.
 */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly chunks: AsyncIterable<Buffer>
  /** Gives the body up. */
  discard(): void
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Failures of a connection that may be gone at the next attempt; a wrong name or certificate is not
 * among them.
 */
const TRANSIENT = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])

/**
 * GET with redirects; `trusted` are certificates (PEM) beside Node's own. Rejects with PlaceFailure
 * (connection, time-out, redirects), or with the signal's reason, an Error. The body is asked for
 * as it is. A Content-Encoding is not undone: servers that label a `.tar.gz` so send the very file
 * all the same.
 */
export async function get(
  url: URL,
  headers: OutgoingHttpHeaders,
  limits: Limits,
  signal: AbortSignal,
  trusted: readonly string[] = [],
): Promise<Reply> {
  let target = url
  for (let followed = 0; followed <= limits.redirects; followed++) {
    const response = await send(
      target,
      { ...headers, 'Accept-Encoding': 'identity', 'User-Agent': 'fixpoint' },
      limits,
      signal,
      trusted,
    )
    const status = response.statusCode ?? 0
    const { location } = response.headers
    if (!REDIRECTS.has(status) || location === undefined) {
      return {
        status,
        headers: response.headers,
        chunks: chunksOf(response, limits, signal),
        discard: () => void response.destroy(),
      }
    }
    response.destroy()
    target = redirected(target, location)
  }
  throw new PlaceFailure(`more than ${String(limits.redirects)} redirects`)
}

/**
 * Where a `Location` leads. Node hands headers on as Latin-1, a character a byte; servers put the
 * bytes of a path there as they are, mostly UTF-8. Each byte is percent-encoded, so that the very
 * same ones are asked for.
 */
function redirected(from: URL, location: string): URL {
  const encoded = location.replace(
    /[\u0080-\u00ff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  const target = URL.canParse(encoded, from.href) ? new URL(encoded, from.href) : undefined
  if (target === undefined || !['http:', 'https:'].includes(target.protocol))
    throw new PlaceFailure(
      `redirects to "${Buffer.from(location, 'latin1').toString()}", which is no HTTP address`,
    )
  return target
}

/** One request; resolves with the answer's head. */
function send(
  url: URL,
  headers: OutgoingHttpHeaders,
  limits: Limits,
  signal: AbortSignal,
  trusted: readonly string[],
): Promise<IncomingMessage> {
  return new Promise<IncomingMessage>((resolve, reject) => {
    // Named at all, they take the place of Node's own.
    const ca = trusted.length > 0 ? { ca: [...rootCertificates, ...trusted] } : {}
    const request = begin(url, () =>
      url.protocol === 'https:'
        ? httpsGet(url, { headers, signal, ...ca })
        : httpGet(url, { headers, signal }),
    )
    let timer: NodeJS.Timeout | undefined
    const endAfter = (ms: number, reason: string): void => {
      clearTimeout(timer)
      timer = setTimeout(
        () => request.destroy(new PlaceFailure(`${reason} within ${seconds(ms)}`, { retry: true })),
        ms,
      )
    }
    endAfter(limits.connectMs, 'no connection')
    request.once('socket', (socket) => {
      const connected = (): void => {
        endAfter(limits.idleMs, 'no answer')
      }
      if (socket.connecting)
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
      else connected()
    })
    request.once('response', (response) => {
      clearTimeout(timer)
      // An abort may come before the body is read; who reads it is told then.
      response.on('error', () => undefined)
      resolve(response)
    })
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(failureOf(error, signal))
    })
  })
}

/** Node throws at once for what an address may hold, such as a password that is no UTF-8. */
function begin(url: URL, request: () => ClientRequest): ClientRequest {
  try {
    return request()
  } catch (cause) {
    throw new PlaceFailure(`cannot ask for "${shownAddress(url)}"`, { cause })
  }
}

async function* chunksOf(
  response: IncomingMessage,
  limits: Limits,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const { pace } = limits
  let came = 0
  let waiting = true
  const timer = setInterval(() => {
    // While the reader is at work, the server is not to blame.
    if (waiting && came < pace.bytes)
      response.destroy(
        new PlaceFailure(`too slow: ${String(came)} bytes came within ${seconds(pace.ms)}`, {
          retry: true,
        }),
      )
    came = 0
  }, pace.ms)
  try {
    for (;;) {
      waiting = true
      const next = await inTime(chunks.next(), response, limits.idleMs, signal)
      waiting = false
      if (next.done === true) return
      came += next.value.length
      yield next.value
    }
  } finally {
    clearInterval(timer)
    response.destroy()
  }
}

/**
 * Waits for a chunk. The clock runs only meanwhile, so that a slow disk is not taken for a stalled
 * server.
 */
async function inTime<T>(
  chunk: Promise<T>,
  response: IncomingMessage,
  idleMs: number,
  signal: AbortSignal,
): Promise<T> {
  const timer = setTimeout(
    () =>
      response.destroy(
        new PlaceFailure(`stalled: nothing came for ${seconds(idleMs)}`, { retry: true }),
      ),
    idleMs,
  )
  try {
    return await chunk
  } catch (error) {
    throw failureOf(error, signal)
  } finally {
    clearTimeout(timer)
  }
}

function failureOf(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error
  if (error instanceof PlaceFailure) return error
  const code = errorCode(error) ?? ''
  const message = error instanceof Error && error.message !== '' ? error.message : code
  return new PlaceFailure(`connection failed: ${message}`, {
    retry: TRANSIENT.has(code),
    cause: error,
  })
}

function seconds(ms: number): string {
  return `${String(ms / 1000)} s`
}
