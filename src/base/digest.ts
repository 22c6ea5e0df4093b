import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** SHA-256 as 64 lower-case hexadecimal digits: the name of a blob, a source or an action. */
export type Digest = string & { readonly __brand: 'Digest' }

const PATTERN = /^[0-9a-f]{64}$/

/** True when `text` has the form of a digest. */
export function isDigest(text: string): text is Digest {
  return PATTERN.test(text)
}

/** `text` as a digest; a text of another form is a bug of the caller. */
export function asDigest(text: string): Digest {
  if (!isDigest(text)) throw new TypeError(`Not a SHA-256 digest: "${text}"`)
  return text
}

/** SHA-256 of bytes or of a string's UTF-8 bytes. */
export function digestOf(data: string | Uint8Array): Digest {
  return asDigest(createHash('sha256').update(data).digest('hex'))
}

/** SHA-256 of a file's bytes, read as a stream. Rejects with the system's error when it can't be read. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return asDigest(hash.digest('hex'))
}
