import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import type { Turns } from '../../base/turns.ts'
import { openNamedFile } from '../../base/beneath.ts'
import { readWhatIsLeft, withBelow, type FileBelow } from '../par2/files-below.ts'

const PIECE = 1 << 20

/** Digests of a file in hexadecimal, and its bytes. */
export interface Digests {
  readonly size: number
  readonly sha256: string
  readonly md5: string
}

/** A file that should be there. One of the digests is known at least. */
export interface Wanted {
  readonly path: string
  readonly size?: number | undefined
  readonly sha256?: string | undefined
  /** As parity has it, for files whose list is lost. */
  readonly md5?: string | undefined
}

/** Whether a file has the bytes that are wanted. */
export function isWanted(wanted: Wanted, found: Digests): boolean {
  if (wanted.sha256 !== undefined) return wanted.sha256 === found.sha256
  return wanted.md5 === found.md5 && wanted.size === found.size
}

/** Digests of a regular file below a root. What its disk cannot read counts as zeros. */
export async function digestsBelow(
  file: FileBelow,
  turns: Turns,
): Promise<Digests | 'missing' | 'unreadable'> {
  return withBelow(file, ({ fd, size }) => digestsOf(fd, size, turns))
}

/** Digests of a file that is ours. */
export async function digestsOfOwn(path: string, turns: Turns): Promise<Digests> {
  const { fd, stat } = openNamedFile(path)
  try {
    return await digestsOf(fd, stat.size, turns)
  } finally {
    closeSync(fd)
  }
}

async function digestsOf(fd: number, size: number, turns: Turns): Promise<Digests> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, size + 1))
  for (let at = 0; at < size; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, size - at))
    readWhatIsLeft(fd, piece, at)
    sha256.update(piece)
    md5.update(piece)
    await turns.pass()
  }
  return { size, sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}
