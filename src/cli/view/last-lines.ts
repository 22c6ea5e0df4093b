import { stripVTControlCharacters } from 'node:util'
import { openRegular } from '../../base/regular.ts'

/** Bytes at the end of a log in which its last line is looked for. */
const END = 4096

/** The last lines of logs that grow. */
export class LastLines {
  #lines = new Map<string, string>()
  #reading = false

  /** Reads the ends of logs, unless that is still going on. What can't be read has no line. */
  async read(logs: readonly string[]): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    const lines = new Map<string, string>()
    for (const log of logs) {
      const line = await lastLine(log).catch(() => undefined)
      if (line !== undefined) lines.set(log, line)
    }
    this.#lines = lines
    this.#reading = false
  }

  /** The last line of a log, as it was read last; undefined when it has none. */
  of(log: string): string | undefined {
    return this.#lines.get(log)
  }
}

/** The last line with anything in it, without what colours it. */
async function lastLine(log: string): Promise<string | undefined> {
  const file = await openRegular(log, 'refuse')
  if (file === undefined) return undefined
  try {
    const { size } = await file.stat()
    if (size === 0) return undefined
    const from = Math.max(0, size - END)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    const text = stripVTControlCharacters(buffer.toString('utf8', 0, bytesRead))
    return text
      .split(/[\r\n]/)
      .map((line) => line.trim())
      .findLast((line) => line !== '')
  } finally {
    await file.close()
  }
}
