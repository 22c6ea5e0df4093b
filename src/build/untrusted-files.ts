import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** Bytes; far more than `times` prints. */
const LONGEST_REPORT = 4096

/**
 * Bytes of a log that are looked at for what a message shows of it; a log may be larger than any
 * string.
 */
const END = 64 << 10

/** Without following a link, and without waiting for who writes to a fifo. */
const AS_IT_LIES = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Text of a small file at a path that a recipe may have put anything at. What is no such file
 * counts as empty.
 */
export async function readReport(path: string): Promise<string> {
  const file = await open(path, AS_IT_LIES).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const stat = await file.stat()
    return stat.isFile() && stat.size <= LONGEST_REPORT ? await readAt(file, 0, LONGEST_REPORT) : ''
  } finally {
    await file.close()
  }
}

/** The last whole lines of a log, as far as they are among its last 64 KiB. */
export async function readEnd(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const text = await readAt(file, Math.max(0, size - END), END)
    // A line of which only the end is there may begin within a character. There is none to drop
    // where one line is all.
    return size > END ? text.slice(text.indexOf('\n') + 1) || text : text
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<string> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at)
  return buffer.toString('utf8', 0, bytesRead)
}
