import { open, type FileHandle } from 'node:fs/promises'

/**
 * Bytes of a log that are looked at for what a message shows of it; a log may be larger than any
 * string.
 */
const END = 64 << 10

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
