import { once } from 'node:events'
import {
  connect,
  constants,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** One call on its way to the server. */
export interface ProxiedCall {
  /** The last part of its path, such as `Execute`. */
  readonly method: string
  /** How many calls of that method there were before. */
  readonly nth: number
  readonly headers: IncomingHttpHeaders
  /** Lets the call through; `change` sees each piece of the answer, and `ended` its end. */
  readonly pass: (change?: (piece: Buffer) => readonly Buffer[]) => void
  /** Answers with a status of gRPC. */
  readonly status: (code: number, message: string) => void
  /** Answers with bytes that are no message. */
  readonly answer: (bytes: Buffer) => void
  /** Answers with an empty message, as the server would that did what it was asked for. */
  readonly done: () => void
  /** Cuts the connection, now or after `bytes` of the answer. */
  readonly cut: (bytes?: number) => void
  /** Never answers. */
  readonly hang: () => void
}

/** A proxy between the engine and a server, which may spoil calls. */
export interface Proxy {
  readonly port: number
  /** Names of the methods that were called. */
  readonly calls: string[]
  /** What becomes of a call; all pass at first. */
  rule: (call: ProxiedCall) => void
}

/** Starts a proxy; it ends with the test. `tls`: the proxy itself talks TLS. */
export async function proxyTo(target: string, tls?: SecureServerOptions): Promise<Proxy> {
  const server = tls === undefined ? createServer() : createSecureServer(tls)
  const proxy: Proxy & { port: number } = {
    port: 0,
    calls: [],
    rule: (call) => {
      call.pass()
    },
  }
  const sessions = new Set<{ destroy: () => void }>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => undefined)
  })
  server.on('sessionError', () => undefined)
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined)
    const method = String(headers[':path']).split('/').at(-1) ?? ''
    const nth = proxy.calls.filter((name) => name === method).length
    proxy.calls.push(method)
    proxy.rule(callOf(stream, headers, method, nth, target))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.port = (server.address() as AddressInfo).port
  onTestFinished(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return proxy
}

function callOf(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: string,
  nth: number,
  target: string,
): ProxiedCall {
  const pass: ProxiedCall['pass'] = (change = (piece) => [piece]) => {
    forward(stream, headers, target, change)
  }
  return {
    method,
    nth,
    headers,
    pass,
    status: (code, message) => {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': String(code),
          'grpc-message': message,
        },
        { endStream: true },
      )
    },
    answer: (bytes) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.end(bytes)
    },
    done: () => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      )
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.alloc(5))
    },
    cut: (bytes = 0) => {
      let left = bytes
      pass((piece) => {
        const some = piece.subarray(0, left)
        left -= some.length
        if (left === 0) setTimeout(() => stream.session?.destroy(), 20)
        return [some]
      })
    },
    hang: () => {
      stream.resume()
    },
  }
}

function forward(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  target: string,
  change: (piece: Buffer) => readonly Buffer[],
): void {
  const session = connect(target)
  const drop = (): void => {
    if (!stream.closed) stream.close(constants.NGHTTP2_REFUSED_STREAM)
  }
  session.on('error', drop)
  const clean = Object.entries(headers).filter(
    ([name]) => [':path', ':method'].includes(name) || !/^:|^connection$/.test(name),
  )
  const request = session.request(Object.fromEntries(clean))
  let trailers: IncomingHttpHeaders = {}
  request.on('error', drop)
  request.on('response', (answer, flags) => {
    if (stream.destroyed) return
    const isOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    stream.respond(answer, isOnly ? { endStream: true } : { waitForTrailers: true })
  })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  request.on('trailers', (found: IncomingHttpHeaders) => {
    trailers = found
  })
  request.on('data', (piece: Buffer) => {
    for (const part of change(piece)) if (!stream.destroyed) stream.write(part)
  })
  request.on('end', () => {
    if (!stream.destroyed) stream.end()
    session.close()
  })
  stream.on('close', () => {
    request.close(constants.NGHTTP2_CANCEL)
    session.close()
  })
  stream.pipe(request)
}
