import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { errorCode } from '../base/files.ts'
import { PlaceFailure } from './failure.ts'
import { openSink } from './sink.ts'
import type { Transfer, TransferResult } from './transfer.ts'

const CHUNK = 1 << 20

/** Copies a file of this machine, hashing it on the way. Rejects with PlaceFailure when it cannot be read. */
export async function copyLocal(
  from: string,
  { path, signal, onStart, onProgress }: Transfer,
): Promise<TransferResult> {
  const size = await sizeOf(from)
  onStart(size)
  const sink = await openSink(path)
  try {
    for await (const chunk of readChunks(from)) {
      signal.throwIfAborted()
      await sink.write(chunk)
      onProgress(sink.bytes, size)
    }
  } finally {
    await sink.close()
  }
  return { digest: sink.digest(), bytes: sink.bytes }
}

async function sizeOf(path: string): Promise<number> {
  const found = await orUnreadable(stat(path))
  if (!found.isFile()) throw new PlaceFailure('is no file')
  return found.size
}

async function* readChunks(path: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, { highWaterMark: CHUNK })
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    for (;;) {
      const next = await orUnreadable(chunks.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    stream.destroy()
  }
}

/** Only reading may fail as a fault of the place: writing is a matter of the store. */
async function orUnreadable<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (cause) {
    const code = errorCode(cause)
    const reason =
      code === 'ENOENT' || code === 'ENOTDIR'
        ? 'no such file'
        : `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new PlaceFailure(reason, { cause })
  }
}
