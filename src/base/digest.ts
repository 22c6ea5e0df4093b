import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { openNamedFile } from './beneath.ts'
import { chunksOf } from './chunks.ts'
import { Turns } from './turns.ts'

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

/**
 * SHA-256 of a file's bytes. Links are followed, and a disk is read whole; fails with `not-a-file`
 * for a folder, pipe or other device, and otherwise with the system's error.
 */
export async function digestOfFile(path: string, signal?: AbortSignal): Promise<Digest> {
  const turns = new Turns(signal)
  const { fd } = openNamedFile(path)
  try {
    return await digestOfOpenFile(fd, turns)
  } finally {
    closeSync(fd)
  }
}

/** SHA-256 of the bytes of a file that is open for reading. */
export async function digestOfOpenFile(fd: number, turns: Turns): Promise<Digest> {
  const hash = createHash('sha256')
  for (const chunk of chunksOf(fd)) {
    hash.update(chunk)
    await turns.pass()
  }
  return asDigest(hash.digest('hex'))
}
