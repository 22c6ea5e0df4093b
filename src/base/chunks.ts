import { ftruncateSync, readSync, writeSync } from 'node:fs'

/** Bytes that are read or written at once. */
export const CHUNK = 1 << 20

/** Bytes of a block that is left out of a file when it holds only zeros. */
const HOLE = 1 << 16

const ZEROS = Buffer.alloc(HOLE)

/** One for all: a chunk is used up before anything else is read. */
const SCRATCH = Buffer.allocUnsafe(CHUNK)

/** The bytes of an open file from its beginning. A chunk is valid until the next `await`. */
export function* chunksOf(fd: number): Generator<Buffer> {
  for (let at = 0; ;) {
    const length = readSync(fd, SCRATCH, 0, CHUNK, at)
    if (length === 0) return
    at += length
    yield SCRATCH.subarray(0, length)
  }
}

/** True when all bytes are zero. */
export function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += HOLE) {
    const block = data.subarray(at, at + HOLE)
    if (ZEROS.compare(block, 0, block.length, 0, block.length) !== 0) return false
  }
  return true
}

/**
 * Writes `data` at `position` of a new file, and leaves out aligned blocks of zeros, so that they
 * take no room on the disk. Call {@link endSparse} afterwards.
 */
export function writeSparse(fd: number, data: Uint8Array, position: number): void {
  let from = 0
  for (let at = 0; at < data.length;) {
    const end = Math.min(data.length, at + HOLE - ((position + at) % HOLE))
    if (end - at === HOLE && isZero(data.subarray(at, end))) {
      writeAll(fd, data.subarray(from, at), position + from)
      from = end
    }
    at = end
  }
  writeAll(fd, data.subarray(from), position + from)
}

/** Gives a file that {@link writeSparse} wrote its size: its last block may have been left out. */
export function endSparse(fd: number, size: number): void {
  if (size >= HOLE) ftruncateSync(fd, size)
}

/** Writes all of `data` at `position` of an open file. */
export function writeAll(fd: number, data: Uint8Array, position: number): void {
  for (let done = 0; done < data.length;)
    done += writeSync(fd, data, done, data.length - done, position + done)
}
