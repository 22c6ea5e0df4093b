import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isMatch, isNoneMatch, isRangeMeant, rangeOf, type Part } from './conditions.ts'
import { SUMS } from './list.ts'
import type { ServedFile, ServedFiles } from './served-files.ts'

/** Bytes that are read and sent at once. */
const PIECE = 1 << 18

/** Answers one request for a file of a mirror: GET or HEAD of one name, and nothing else. */
export async function answer(
  files: ServedFiles,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // What it sends is not waited for.
    refuse(response, 405, { Allow: 'GET, HEAD', Connection: 'close' })
    return
  }
  let file: ServedFile | undefined
  try {
    const name = nameIn(request.url)
    file = name === undefined ? undefined : await files.open(name)
    if (name === undefined || file === undefined) refuse(response, 404)
    else await send(file, name, request, response)
  } catch {
    // Its disk fails or is gone. After the head, only a broken connection says so.
    if (response.headersSent) response.destroy()
    else refuse(response, 503)
  } finally {
    await file?.close()
  }
}

/** The one component that a request's path has, percent signs decoded. */
function nameIn(target: string | undefined): string | undefined {
  if (target?.startsWith('/') !== true) return undefined
  try {
    return decodeURIComponent(target.slice(1))
  } catch {
    return undefined
  }
}

async function send(
  file: ServedFile,
  name: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { size, digest } = file
  const tag = `"${digest}"`
  // A file keeps its bytes, but a name may get another file.
  const about = { ETag: tag, 'Cache-Control': 'no-cache', 'Accept-Ranges': 'bytes' }
  if (!isMatch(headers['if-match'], tag)) {
    refuse(response, 412, about)
    return
  }
  if (isNoneMatch(headers['if-none-match'], tag)) {
    response.writeHead(304, about).end()
    return
  }
  const isRange = method === 'GET' && isRangeMeant(headers['if-range']?.toString(), tag)
  const part = isRange ? rangeOf(headers.range, size) : undefined
  if (part === 'unsatisfiable') {
    refuse(response, 416, { ...about, 'Content-Range': `bytes */${size}` })
    return
  }
  const { start, length } = part ?? { start: 0, length: size }
  response.writeHead(part === undefined ? 200 : 206, {
    ...about,
    'Content-Type': name === SUMS ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': length,
    ...(part && { 'Content-Range': `bytes ${start}-${start + length - 1}/${size}` }),
  })
  if (method === 'HEAD') response.end()
  else await pipeline(Readable.from(piecesOf(file, { start, length })), response)
}

/** Throws when the file is shorter than it was: the connection must break. */
async function* piecesOf(file: ServedFile, { start, length }: Part): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length;) {
    const piece = await file.read(start + done, Math.min(PIECE, length - done))
    if (piece.length === 0) throw new Error('the file was cut')
    done += piece.length
    yield piece
  }
}

function refuse(response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  const text = `${status}\n`
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': text.length,
  })
  response.end(text)
}
