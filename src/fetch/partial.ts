import { createHash } from 'node:crypto'
import { lstat, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { asDigest, type Digest } from '../base/digest.ts'
import { ifThere } from '../base/files.ts'
import { openRegular, readRegular } from '../base/regular.ts'
import { putFile, type Prefix } from './hashed-file.ts'

/** Bytes that a note may have: Node takes 16 KiB of headers. */
const LARGEST_NOTE = 64 << 10

/** A value that may be sent as a header again. RFC 9110, 5.5. */
const HeaderValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/)

/**
 * What is known of the file that a partial download is the beginning of; kept beside it as
 * `PATH.json`.
 */
const Origin = z.strictObject({
  /** Address that was asked, without user and password. */
  address: z.string(),
  /** A strong entity tag. */
  etag: HeaderValue.optional(),
  /** As the server wrote it. */
  lastModified: HeaderValue.optional(),
  /** Bytes of the whole file. */
  size: z.number().int().nonnegative().optional(),
})

export type Origin = z.infer<typeof Origin>

/** A download that can go on. */
export interface PartialFile extends Prefix {
  readonly digest: Digest
  readonly origin: Origin
}

/**
 * What a server says about the whole file. `size` comes from the caller, as it stands elsewhere in
 * a partial answer.
 */
export function originOf(
  address: string,
  headers: IncomingHttpHeaders,
  size: number | undefined,
): Origin {
  const { etag } = headers
  return {
    address,
    // RFC 9110, 13.1.5: a weak tag cannot vouch for a range.
    ...(etag !== undefined && !etag.startsWith('W/') && { etag }),
    ...(headers['last-modified'] !== undefined && { lastModified: headers['last-modified'] }),
    ...(size !== undefined && { size }),
  }
}

/**
 * The partial download at `path` when it came from `address`, its bytes hashed; undefined when
 * there is none to go on from: something that is no regular file, or has more than `limit` bytes,
 * is none.
 */
export async function readPartial(
  path: string,
  address: string,
  limit: number,
): Promise<PartialFile | undefined> {
  const origin = await readOrigin(path)
  if (origin?.address !== address) return undefined
  const size = await partialSize(path)
  if (size === 0 || size > limit) return undefined
  const file = await openRegular(path, 'refuse')
  if (file === undefined) return undefined
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { bytes, hash, digest: asDigest(hash.copy().digest('hex')), origin }
}

/**
 * Bytes of the partial download at `path`; 0 when there is none, or a file that has another name as
 * well.
 */
export async function partialSize(path: string): Promise<number> {
  const found = await ifThere(lstat(path))
  return found?.isFile() === true && found.nlink === 1 ? found.size : 0
}

/** Keeps what is known of the file at `path`, for the next run. */
export async function writeOrigin(path: string, origin: Origin): Promise<void> {
  await putFile(`${path}.json`, `${JSON.stringify(origin)}\n`)
}

/** Removes the partial download at `path` and what is known of it. */
export async function discardPartial(path: string): Promise<void> {
  await rm(path, { force: true })
  await rm(`${path}.json`, { force: true })
}

/** Undefined too for a damaged note: then the download starts anew. */
async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    const note = await readRegular(`${path}.json`, LARGEST_NOTE, 'refuse')
    return note === undefined ? undefined : Origin.parse(JSON.parse(note))
  } catch {
    return undefined
  }
}
