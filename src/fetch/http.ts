import { readFileSync } from 'node:fs'
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { rootCertificates } from 'node:tls'
import { FixpointError } from '../base/error.ts'
import { shownAddress } from './addresses.ts'
import { failureOf } from './connection-failure.ts'
import { extraCertificates } from './environment.ts'
import { PlaceFailure } from './failure.ts'
import { passwordFor } from './netrc.ts'
import type { Limits } from './ports.ts'
import { proxyFor, throughProxy, tunnelThrough } from './proxy.ts'

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

/** How servers of `https:` and this client are known to each other. */
export interface Trust {
  /** Certificates (PEM) that a server may be known by beside Node's own. */
  readonly trusted?: readonly string[] | undefined
  /** What this client is known by. */
  readonly identity?: Identity | undefined
}

/** A client's certificate and its key, both in PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** Bytes beside an answer's status that are worth to be read. */
const LARGEST_REMARK = 64 << 10

/** A place that let us wait. It may answer better a little later. */
const LATE = { retry: true, isLate: true }

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * GET with redirects. Rejects with PlaceFailure (connection, time-out, redirects), or with the
 * signal's reason, an Error. Where a redirect leads to another server, that gets no
 * `Authorization`, and no certificate of this client. The body is asked for as it is. A
 * Content-Encoding is not undone: servers that label a `.tar.gz` so send the very file all the
 * same.
 */
export async function get(
  url: URL,
  headers: OutgoingHttpHeaders,
  limits: Limits,
  signal: AbortSignal,
  trust: Trust = {},
): Promise<Reply> {
  let target = url
  for (let followed = 0; followed <= limits.redirects; followed++) {
    const isOwn = target.origin === url.origin
    const own = isOwn ? headers : { ...headers, Authorization: undefined }
    const shown = isOwn ? trust : { ...trust, identity: undefined }
    const question = { method: 'GET', url: target, headers: given(own), trust: shown } as const
    const response = await send(question, limits, signal)
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

/** Headers without those that are not set, which Node would refuse. */
function given(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
}

/** A status that is an answer, and what a server says beside it. */
export interface Told {
  readonly status: number
  /** Seconds, as the server wrote them, which wants to be left alone. */
  readonly retryAfter: string | undefined
  /** Bytes of the file; undefined where the server does not say. */
  readonly size: number | undefined
  /** Where a server sends us that has it elsewhere, as people may read it. */
  readonly elsewhere: string | undefined
}

/** HEAD without redirects: whether a server has a file. Rejects as {@link get} does. */
export async function head(url: URL, way: Way): Promise<Told> {
  const { headers, limits, signal, identity } = way
  const trust = { identity }
  const response = await send({ method: 'HEAD', url, headers, trust }, limits, signal)
  response.resume() // it has no body, whatever length it states
  return toldBy(response, url)
}

/** What a request sends. */
export interface Body {
  readonly size: number
  /** Called once for each attempt. */
  readonly chunks: () => AsyncIterable<Uint8Array>
}

/** How a request is made, beside its address. */
export interface Way extends Pick<Trust, 'identity'> {
  readonly headers: OutgoingHttpHeaders
  readonly limits: Limits
  readonly signal: AbortSignal
}

/**
 * PUT without redirects: a server that sends uploads elsewhere does not get them. Its time runs
 * while it takes no byte. Rejects as {@link get} does.
 */
export async function put(url: URL, body: Body, way: Way): Promise<Told> {
  const { limits, signal, identity } = way
  const headers = { ...way.headers, 'Content-Length': body.size }
  const trust = { identity }
  const response = await send({ method: 'PUT', url, headers, trust, body }, limits, signal)
  // What it says beside is of no use, but read to its end the connection serves the next request.
  if (Number(response.headers['content-length'] ?? 'NaN') <= LARGEST_REMARK) response.resume()
  else if (!response.complete) response.destroy()
  return toldBy(response, url)
}

function toldBy({ statusCode = 0, headers }: IncomingMessage, url: URL): Told {
  const { location } = headers
  const length = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
  const isSent = REDIRECTS.has(statusCode) && location !== undefined
  return {
    status: statusCode,
    retryAfter: headers['retry-after'],
    size: /^\d+$/.test(length ?? '') ? Number(length) : undefined,
    elsewhere: isSent ? placeOf(redirected(url, location)) : undefined,
  }
}

/** An address without what may be a secret. */
function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`
}

/** One request. */
interface Question {
  readonly method: 'GET' | 'HEAD' | 'PUT'
  readonly url: URL
  readonly headers: OutgoingHttpHeaders
  readonly trust: Trust
  readonly body?: Body
}

/** One request; resolves with the answer's head. */
async function send(
  question: Question,
  limits: Limits,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, headers } = question
  const isOpen = headers['Authorization'] === undefined && url.username === ''
  const password = isOpen ? await passwordFor(url.hostname) : undefined
  const known = password === undefined ? headers : { ...headers, Authorization: password }
  return exchange({ ...question, headers: known }, limits, signal)
}

/** Begins a request, by way of the proxy that the environment names. */
function ask(
  { method, url, headers, trust: { trusted = [], identity } }: Question,
  limits: Limits,
  signal: AbortSignal,
): ClientRequest {
  const ca = trusted.length > 0 ? { ca: [...usualCertificates(), ...trusted] } : {}
  const all = { ...headers, 'Accept-Encoding': 'identity', 'User-Agent': 'fixpoint' }
  const proxy = proxyFor(url)
  if (url.protocol === 'https:') {
    const agent = proxy && { agent: tunnelThrough(proxy, limits.connectMs) }
    return httpsRequest(url, { method, headers: all, signal, ...ca, ...identity, ...agent })
  }
  if (proxy === undefined) return httpRequest(url, { method, headers: all, signal })
  const { way, own } = throughProxy(url, proxy)
  const request = proxy.protocol === 'https:' ? httpsRequest : httpRequest
  return request({ ...way, method, headers: { ...own, ...all }, signal })
}

/** What Node trusts by itself. Certificates that a request names would take the place of these. */
function usualCertificates(): string[] {
  const more = extraCertificates()
  if (more === undefined) return [...rootCertificates]
  try {
    return [...rootCertificates, readFileSync(more, 'utf8')]
  } catch {
    // Node has warned of it.
    return [...rootCertificates]
  }
}

function exchange(
  question: Question,
  limits: Limits,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, body } = question
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = begin(url, () => ask(question, limits, signal))
    let timer: NodeJS.Timeout | undefined
    let answered = false
    const endAfter = (ms: number, reason: string): void => {
      clearTimeout(timer)
      timer = setTimeout(
        () => request.destroy(new PlaceFailure(`${reason} within ${seconds(ms)}`, LATE)),
        ms,
      )
    }
    endAfter(limits.connectMs, 'no connection')
    request.once('socket', (socket) => {
      const connected = (): void => {
        if (!answered) endAfter(limits.idleMs, 'no answer')
      }
      if (body !== undefined) {
        socket.on('drain', connected)
        // The socket may serve other requests later.
        request.once('close', () => socket.off('drain', connected))
      }
      if (socket.connecting)
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
      else connected()
    })
    request.once('response', (response) => {
      answered = true
      clearTimeout(timer)
      // An abort may come before the body is read; who reads it is told then.
      response.on('error', () => undefined)
      resolve(response)
    })
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(failureOf(error, signal, proxyFor(url)))
    })
    if (body === undefined) request.end()
    else
      pipeline(Readable.from(body.chunks()), request).catch((error: unknown) => {
        // The server may have answered before it had all, and closed the connection.
        clearTimeout(timer)
        reject(error instanceof FixpointError ? error : failureOf(error, signal))
      })
  })
}

/** Node throws at once for what an address may hold, such as a password that is no UTF-8. */
function begin(url: URL, request: () => ClientRequest): ClientRequest {
  try {
    return request()
  } catch (cause) {
    if (cause instanceof PlaceFailure) throw cause
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
        new PlaceFailure(`too slow: ${String(came)} bytes came within ${seconds(pace.ms)}`, LATE),
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
    () => response.destroy(new PlaceFailure(`stalled: nothing came for ${seconds(idleMs)}`, LATE)),
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

function seconds(ms: number): string {
  return `${String(ms / 1000)} s`
}
