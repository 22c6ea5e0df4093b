import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { asDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { explainDiskFull } from '../base/files.ts'

/** A file that is written and hashed in one go. */
export interface Sink {
  /** Length of the file, those bytes included that were there before. */
  readonly bytes: number
  write(chunk: Uint8Array): Promise<void>
  /** SHA-256 of the whole file so far. */
  digest(): Digest
  close(): Promise<void>
}

/** The state of a file that writing goes on at the end of. */
export interface Prefix {
  readonly bytes: number
  readonly hash: Hash
}

/**
 * Opens a file for writing: a new one in place of what is there, or after `prefix`. Never goes
 * through a link, nor waits for a reader of a fifo. Rejects, as its writes do, with `disk-full` or
 * `staging-unwritable`.
 */
export async function openSink(path: string, prefix?: Prefix): Promise<Sink> {
  const file = await orUnwritable(path, prefix === undefined ? openNew(path) : openOld(path))
  const hash = prefix?.hash.copy() ?? createHash('sha256')
  let bytes = prefix?.bytes ?? 0
  return {
    get bytes() {
      return bytes
    },
    async write(chunk) {
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await orUnwritable(
          path,
          file.write(chunk, done, chunk.length - done, bytes + done),
        )
        done += bytesWritten
      }
      hash.update(chunk)
      bytes += chunk.length
    },
    digest: () => asDigest(hash.copy().digest('hex')),
    // Some file systems tell of a full disk only now.
    close: () => orUnwritable(path, file.close()),
  }
}

/** Writes a small file in place of what is there, and rejects, as {@link openSink} does. */
export async function putFile(path: string, text: string): Promise<void> {
  await orUnwritable(
    path,
    rm(path, { force: true }).then(() => writeFile(path, text, { flag: 'wx' })),
  )
}

/**
 * What is there is removed, not emptied: a link, or a second name of another file, must not lead
 * there.
 */
async function openNew(path: string): Promise<FileHandle> {
  await rm(path, { force: true })
  return await open(path, 'wx')
}

async function openOld(path: string): Promise<FileHandle> {
  return await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
}

/** Turns a failure to write in the store into an error of the host: no other place would help. */
export async function orUnwritable<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (cause) {
    const error = explainDiskFull(cause, dirname(path))
    if (error instanceof FixpointError) throw error
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new FixpointError('staging-unwritable', `Cannot write "${path}": ${why}`, {
      cause,
    })
  }
}
