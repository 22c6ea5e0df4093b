import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { openFile } from '../../base/beneath.ts'
import { chunksOf, writeAll } from '../../base/chunks.ts'
import { asDigest, digestOfOpenFile, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { systemReason } from '../../base/system-error.ts'
import type { Turns } from '../../base/turns.ts'

/** What is copied is to blame, and not the copy: it has other bytes, or cannot be read. */
export class BadOriginal extends Error {
  readonly fault: { readonly found: Digest } | { readonly reason: string }

  constructor(fault: BadOriginal['fault'], cause?: unknown) {
    super('the file that is copied is damaged', { cause })
    this.fault = fault
  }
}

/**
 * Copies a file that is open for reading to `to`, where nothing may be, hashes it on the way,
 * flushes the copy and reads it back. Leaves nothing when it fails: with {@link BadOriginal}, with
 * `mirror-read-back` when the copy has other bytes, or with the system's error of writing.
 */
export async function copyHashed(
  from: number,
  wanted: Digest,
  to: string,
  turns: Turns,
): Promise<void> {
  try {
    await write(from, wanted, to, turns)
    await requireWritten(to, wanted, turns)
  } catch (error) {
    await rm(to, { force: true }).catch(() => undefined) // the first error says more
    throw error
  }
}

async function write(from: number, wanted: Digest, to: string, turns: Turns): Promise<void> {
  const hash = createHash('sha256')
  const fd = openSync(to, 'wx', 0o644)
  try {
    let size = 0
    for (const chunk of readable(from)) {
      hash.update(chunk)
      writeAll(fd, chunk, size)
      size += chunk.length
      await turns.pass()
    }
    const found = asDigest(hash.digest('hex'))
    if (found !== wanted) throw new BadOriginal({ found })
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Not by the descriptor that wrote it: some file systems answer that from a cache of its own. */
async function requireWritten(path: string, wanted: Digest, turns: Turns): Promise<void> {
  const { fd } = openFile(path)
  try {
    const found = await digestOfOpenFile(fd, turns)
    if (found === wanted) return
    throw new FixpointError(
      'mirror-read-back',
      `Cannot write the file of sha256 ${wanted}: its disk gives back other bytes, ${found}`,
    )
  } finally {
    closeSync(fd)
  }
}

/** The bytes of a file. A failure to read them is its own. */
function* readable(fd: number): Generator<Buffer> {
  try {
    yield* chunksOf(fd)
  } catch (cause) {
    const reason = systemReason(cause)
    throw reason === undefined ? cause : new BadOriginal({ reason }, cause)
  }
}
