import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { PlaceFailure } from './failure.ts'
import type { PartialFile } from './partial.ts'

/**
 * What an answer's body is: the whole file, the rest of the partial one, or nothing since the
 * partial one is of no use. Sizes are of the whole file.
 */
export type Meaning =
  | { readonly body: 'whole' | 'rest'; readonly size: number | undefined }
  | { readonly body: 'stale' }

/**
 * Headers that ask for the rest of a file, on condition that it is still the same. RFC 9110, 13.1.5
 * and 14.2.
 */
export function rangeHeaders(partial: PartialFile | undefined): OutgoingHttpHeaders {
  if (partial === undefined) return {}
  const validator = partial.origin.etag ?? partial.origin.lastModified
  return {
    Range: `bytes=${String(partial.bytes)}-`,
    ...(validator !== undefined && { 'If-Range': validator }),
  }
}

/**
 * Reads an answer's status. Fails with PlaceFailure for all that brings no bytes; what may pass is
 * marked for another attempt.
 */
export function meaningOf(
  status: number,
  headers: IncomingHttpHeaders,
  partial: PartialFile | undefined,
): Meaning {
  if (status === 200) return { body: 'whole', size: numberOf(headers['content-length']) }
  if (partial !== undefined && status === 206) return meaningOfRest(headers, partial)
  // The file is shorter than the part: it was replaced, or the part is damaged.
  if (partial !== undefined && status === 416) return { body: 'stale' }
  const retry = status >= 500 || status === 429 || status === 408
  throw new PlaceFailure(`HTTP status ${String(status)}`, {
    retry,
    isAbsent: status === 404 || status === 410,
    waitMs: (numberOf(headers['retry-after']) ?? 0) * 1000,
  })
}

function meaningOfRest(headers: IncomingHttpHeaders, { bytes, origin }: PartialFile): Meaning {
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
  const size = numberOf(range?.[3])
  const fits =
    Number(range?.[1]) === bytes &&
    (size === undefined || origin.size === undefined || size === origin.size)
  // A server that knows no If-Range may send the rest of another file.
  const same =
    origin.etag === undefined || headers.etag === undefined || headers.etag === origin.etag
  return range !== null && fits && same
    ? { body: 'rest', size: size ?? origin.size }
    : { body: 'stale' }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
