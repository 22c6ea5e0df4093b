import { open } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import { readDisk, type Partition } from '../../image/disk.ts'

/** A partition of an image, in bytes. */
export interface PartSize {
  readonly name: string
  readonly bytes: number
  /** What a squashfs in it takes; undefined for what is none. */
  readonly squashfs: number | undefined
}

/** What an image takes as a file; `parts` and `rest` sum up to `bytes`. */
export interface DiskSize {
  readonly bytes: number
  readonly parts: readonly PartSize[]
  /** Partition tables, and space between partitions. */
  readonly rest: number
}

/**
 * Measures the partitions of the image at `path`. Undefined for a file without a partition table,
 * which the style of an image may make as well.
 */
export async function measureDisk(path: string): Promise<DiskSize | undefined> {
  try {
    const { size, partitions } = await readDisk(path)
    const parts = await partsOf(path, partitions)
    return { bytes: size, parts, rest: parts.reduce((rest, { bytes }) => rest - bytes, size) }
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'no-image') return undefined
    throw error
  }
}

async function partsOf(path: string, partitions: readonly Partition[]): Promise<PartSize[]> {
  const file = await open(path, 'r')
  try {
    const head = Buffer.alloc(HEAD)
    const parts: PartSize[] = []
    for (const { name, start, size } of partitions) {
      const { bytesRead } = await file.read(head, 0, HEAD, start)
      const isSquashfs = bytesRead === HEAD && head.toString('latin1', 0, 4) === 'hsqs'
      const squashfs = isSquashfs ? Number(head.readBigUInt64LE(USED)) : undefined
      parts.push({ name, bytes: size, squashfs })
    }
    return parts
  } finally {
    await file.close()
  }
}

/** Bytes of squashfs's superblock that are read, and where it says how long the whole is. */
const [HEAD, USED] = [48, 40]
