import type { FileHandle } from 'node:fs/promises'
import { errorCode } from '../base/files.ts'
import { openRegular } from '../base/regular.ts'
import { PlaceFailure, tooLarge } from './failure.ts'
import { openSink } from './hashed-file.ts'
import type { Transfer, TransferResult } from './transfer.ts'

const CHUNK = 1 << 20

/**
 * Copies a file of this machine, hashing it on the way. Links lead to it: a mirror may be a folder
 * of links, and the digest tells what is at their end. Rejects with PlaceFailure when there is no
 * file to read, or one of more than `limit` bytes.
 */
export async function copyLocal(
  from: string,
  limit: number,
  { path, signal, onStart, onProgress }: Transfer,
): Promise<TransferResult> {
  const file = await orUnreadable(openRegular(from, 'follow'))
  if (file === undefined) throw new PlaceFailure('is no file')
  try {
    const { size } = await orUnreadable(file.stat())
    if (size > limit) throw tooLarge(limit)
    onStart(size)
    const sink = await openSink(path)
    try {
      for await (const chunk of readChunks(file)) {
        signal.throwIfAborted()
        // It may grow while it is read.
        if (sink.bytes + chunk.length > limit) throw tooLarge(limit)
        await sink.write(chunk)
        onProgress(sink.bytes, size)
      }
    } finally {
      await sink.close()
    }
    return { digest: sink.digest(), bytes: sink.bytes }
  } finally {
    await file.close()
  }
}

async function* readChunks(file: FileHandle): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK)
  for (;;) {
    const { bytesRead } = await orUnreadable(file.read(buffer, 0, CHUNK))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** Only reading may fail as a fault of the place: writing is a matter of the store. */
async function orUnreadable<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (cause) {
    const code = errorCode(cause)
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR'
    const reason = isAbsent
      ? 'no such file'
      : `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new PlaceFailure(reason, { isAbsent, cause })
  }
}
