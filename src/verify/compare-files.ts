import { open } from 'node:fs/promises'

/** How much of two files is read at a time. */
const BLOCK = 1 << 20

/**
 * Offset of the first of the first `length` bytes in which two files or disks differ; undefined
 * when they are the same. One that ends before differs there.
 */
export async function firstDifferentByte(
  a: string,
  b: string,
  length: number,
): Promise<number | undefined> {
  const [left, right] = [await open(a, 'r'), await open(b, 'r')]
  try {
    const [one, two] = [Buffer.alloc(BLOCK), Buffer.alloc(BLOCK)]
    for (let start = 0; start < length; start += BLOCK) {
      const wanted = Math.min(BLOCK, length - start)
      const [first, second] = await Promise.all([
        readFully(left, one, start, wanted),
        readFully(right, two, start, wanted),
      ])
      if (
        first === wanted &&
        one.subarray(0, wanted).equals(two.subarray(0, wanted)) &&
        second === wanted
      )
        continue
      const common = Math.min(first, second)
      for (let at = 0; at < common; at++) if (one[at] !== two[at]) return start + at
      return start + common
    }
    return undefined
  } finally {
    await left.close()
    await right.close()
  }
}

async function readFully(
  file: Awaited<ReturnType<typeof open>>,
  buffer: Buffer,
  position: number,
  length: number,
): Promise<number> {
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
