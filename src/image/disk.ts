import { open, type FileHandle } from 'node:fs/promises'
import { FixpointError } from '../base/error.ts'
import { errorCode, exists, isFileOrDisk } from '../base/files.ts'
import { systemReason } from '../base/system-error.ts'

/** One partition; positions in bytes. */
export interface Partition {
  readonly name: string
  readonly start: number
  readonly size: number
}

/** An image as it lies in a file or at the beginning of a disk; sizes in bytes. */
export interface DiskImage {
  /**
   * Up to the end of the second copy of the partition table, which is the image's end on a larger
   * disk too.
   */
  readonly size: number
  readonly partitions: readonly Partition[]
}

const SECTOR = 512

/** What a partition table (GPT) begins with, in Latin-1. */
export const TABLE_MARK = 'EFI PART'

/** Entries are 128 bytes in every table that is written today; the header says so. */
const ENTRY = 128

const DAMAGED = 'its partition table is damaged'

/**
 * Reads the partition table of an image (GPT, UEFI specification 2.10, section 5.3) from a file or
 * disk. Fails with `no-image` when there is none.
 */
export async function readDisk(path: string): Promise<DiskImage> {
  let file: FileHandle
  if ((await exists(path)) && !(await isFileOrDisk(path)))
    throw noImage(path, 'it is neither a file nor a disk')
  try {
    file = await open(path, 'r')
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'there is no such file' : systemReason(cause)
    throw new FixpointError(
      'no-image',
      `Cannot read "${path}"${reason === undefined ? '' : `: ${reason}`}`,
      {
        cause,
      },
    )
  }
  try {
    const header = await read(file, SECTOR, SECTOR)
    if (header.toString('latin1', 0, 8) !== TABLE_MARK || header.readUInt32LE(84) !== ENTRY)
      throw noImage(path, 'it has no partition table of an image')
    const [size, table] = [positionAt(header, 32) + SECTOR, positionAt(header, 72)]
    if (![size, table].every(Number.isSafeInteger)) throw noImage(path, DAMAGED)
    const partitions = partitionsOf(await read(file, table, header.readUInt32LE(80) * ENTRY))
    // What lies beyond the image's end would be read from what else is on the disk.
    if (!partitions.every((each) => each.size > 0 && each.start + each.size <= size))
      throw noImage(path, DAMAGED)
    return { size, partitions }
  } finally {
    await file.close()
  }
}

/** Position of the sector whose number lies at `at`; a damaged header may say anything. */
function positionAt(header: Buffer, at: number): number {
  return Number(header.readBigUInt64LE(at)) * SECTOR
}

function partitionsOf(table: Buffer): Partition[] {
  const partitions: Partition[] = []
  for (let at = 0; at + ENTRY <= table.length; at += ENTRY) {
    const entry = table.subarray(at, at + ENTRY)
    // An entry without a type is free.
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue
    const [first, last] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))]
    const name = entry.toString('utf16le', 56).replace(/\0.*$/s, '')
    partitions.push({ name, start: first * SECTOR, size: (last - first + 1) * SECTOR })
  }
  return partitions
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  // A damaged header may ask for anything.
  const buffer = Buffer.alloc(Math.min(length, 1 << 20))
  if (length > 0) await file.read(buffer, 0, buffer.length, position)
  return buffer
}

function noImage(path: string, why: string): FixpointError {
  return new FixpointError('no-image', `Cannot use "${path}": ${why}`)
}
