import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { asDigest, type Digest } from '../base/digest.ts'
import { errorCode } from '../base/files.ts'
import { orUnwritable, type Prefix } from './sink.ts'

/** What is known of the file that a partial download is the beginning of; kept beside it as `PATH.json`. */
const Origin = z.strictObject({
  /** Address that was asked, without user and password. */
  address: z.string(),
  /** A strong entity tag. */
  etag: z.string().optional(),
  /** As the server wrote it. */
  lastModified: z.string().optional(),
  /** Bytes of the whole file. */
  size: z.number().int().nonnegative().optional(),
})

export type Origin = z.infer<typeof Origin>

/** A download that can go on. */
export interface PartialFile extends Prefix {
  readonly digest: Digest
  readonly origin: Origin
}

/** What a server says about the whole file. `size` comes from the caller, as it stands elsewhere in a partial answer. */
export function originOf(address: string, headers: IncomingHttpHeaders, size: number | undefined): Origin {
  const { etag } = headers
  return {
    address,
    // RFC 9110, 13.1.5: a weak tag cannot vouch for a range.
    ...(etag !== undefined && !etag.startsWith('W/') && { etag }),
    ...(headers['last-modified'] !== undefined && { lastModified: headers['last-modified'] }),
    ...(size !== undefined && { size }),
  }
}

/** The partial download at `path` when it came from `address`, its bytes hashed; undefined when there is none to go on from. */
export async function readPartial(path: string, address: string): Promise<PartialFile | undefined> {
  const origin = await readOrigin(path)
  if (origin?.address !== address) return undefined
  if ((await partialSize(path)) === 0) return undefined
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { bytes, hash, digest: asDigest(hash.copy().digest('hex')), origin }
}

/** Bytes of the partial download at `path`; 0 when there is none. */
export async function partialSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0
    throw error
  }
}

/** Keeps what is known of the file at `path`, for the next run. */
export async function writeOrigin(path: string, origin: Origin): Promise<void> {
  await orUnwritable(path, writeFile(`${path}.json`, `${JSON.stringify(origin)}\n`))
}

/** Removes the partial download at `path` and what is known of it. */
export async function discardPartial(path: string): Promise<void> {
  await rm(path, { force: true })
  await rm(`${path}.json`, { force: true })
}

/** Undefined too for a damaged note: then the download starts anew. */
async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    return Origin.parse(JSON.parse(await readFile(`${path}.json`, 'utf8')))
  } catch {
    return undefined
  }
}
