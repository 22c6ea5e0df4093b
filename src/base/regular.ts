import { constants } from 'node:fs'
import { lstat, open, stat, type FileHandle } from 'node:fs/promises'

/** Links are those of a user, who may have put a file elsewhere; in what is ours there are none. */
export type Links = 'follow' | 'refuse'

/**
 * Opens a regular file for reading; the caller closes it. Resolves to undefined when something else
 * is there: a fifo or a device might keep its reader waiting for ever. Rejects as stat(2) and
 * open(2) do.
 */
export async function openRegular(path: string, links: Links): Promise<FileHandle | undefined> {
  // Opening alone may do something to a device.
  if (!(await (links === 'follow' ? stat : lstat)(path)).isFile()) return undefined
  const file = await open(
    path,
    constants.O_RDONLY | constants.O_NONBLOCK | (links === 'follow' ? 0 : constants.O_NOFOLLOW),
  )
  if ((await file.stat()).isFile()) return file
  await file.close()
  return undefined
}

/** The text of a small regular file; see {@link readRegularBytes}. */
export async function readRegular(
  path: string,
  limit: number,
  links: Links,
): Promise<string | undefined> {
  return (await readRegularBytes(path, limit, links))?.toString()
}

/**
 * The bytes of a small regular file, which `limit` bytes are enough for. Resolves to undefined for
 * a larger one and for what is no regular file. Rejects as open(2) and read(2) do.
 */
export async function readRegularBytes(
  path: string,
  limit: number,
  links: Links,
): Promise<Buffer | undefined> {
  const file = await openRegular(path, links)
  if (file === undefined) return undefined
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    for (;;) {
      // By what comes, not by what the size is said to be: it grows, or is 0 below /proc.
      const { bytesRead, buffer } = await file.read({
        buffer: Buffer.alloc(Math.min(limit + 1 - bytes, 1 << 16)),
      })
      if (bytesRead === 0) return Buffer.concat(chunks)
      bytes += bytesRead
      if (bytes > limit) return undefined
      chunks.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}
