import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Answers a request itself and returns true, or leaves it to the server. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean

/** A cache on the loopback, as nginx or bazel-remote serve one. */
export interface CacheServer {
  readonly address: string
  /** Files by their path, such as `/ac/12…`. */
  readonly files: Map<string, Buffer>
  /** `METHOD PATH` of each request. */
  readonly requests: string[]
  readonly heads: IncomingMessage[]
  /** What is wrong with the server; undefined: nothing. */
  fault: Fault | undefined
  /** Ends it: nobody listens any more. */
  readonly end: () => Promise<void>
}

/** Starts a cache that ends with the test. `address` may name the port of one that ended. */
export async function cacheServer(
  make: (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server = (
    handler,
  ) => createServer(handler),
): Promise<CacheServer> {
  const files = new Map<string, Buffer>()
  const requests: string[] = []
  const heads: IncomingMessage[] = []
  const server = make((request, response) => {
    requests.push(`${String(request.method)} ${String(request.url)}`)
    heads.push(request)
    if (cache.fault?.(request, response) === true) return
    void serve(files, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const end = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  onTestFinished(end)
  const scheme = 'setSecureContext' in server ? 'https' : 'http'
  const cache: CacheServer = {
    address: `${scheme}://127.0.0.1:${String(port)}`,
    files,
    requests,
    heads,
    fault: undefined,
    end,
  }
  return cache
}

async function serve(
  files: Map<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = String(request.url)
  if (request.method === 'PUT') {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    files.set(path, Buffer.concat(parts))
    response.writeHead(201).end()
    return
  }
  const file = files.get(path)
  if (file === undefined) {
    response.writeHead(404, { 'Content-Length': 4 }).end('none')
    return
  }
  response.writeHead(200, { 'Content-Length': file.length })
  response.end(request.method === 'HEAD' ? undefined : file)
}

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}): Fault {
  return (request, response) => {
    request.resume()
    response.writeHead(code, { 'Content-Length': 5, ...headers }).end('sorry')
    return true
  }
}

/** A fault of those requests only whose `METHOD PATH` begins so. */
export function on(begin: string, fault: Fault): Fault {
  return (request, response) =>
    `${String(request.method)} ${String(request.url)}`.startsWith(begin) && fault(request, response)
}

/** Sends these bytes instead of the file. */
export function sends(bytes: Uint8Array): Fault {
  return (_, response) => {
    response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
    return true
  }
}
