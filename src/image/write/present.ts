import { open } from 'node:fs/promises'
import { isZero } from '../../base/chunks.ts'
import { FixpointError } from '../../base/error.ts'
import { readDisk } from '../disk.ts'
import type { DiskDevice } from './disk-device.ts'

/** A partition that will be lost. */
export interface LostPartition {
  readonly name: string
  readonly label: string | undefined
  readonly bytes: number
}

/** What is on a disk before it is overwritten, as far as a look at its beginning tells. */
export interface Present {
  readonly partitions: readonly LostPartition[]
  /** Whether its first MiB holds zeros only. */
  readonly isBlank: boolean
}

/** Bytes that are looked at. */
const HEAD = 1 << 20

/** The partition table of PCs before GPT: four entries in the first sector. */
const MBR = { at: 446, entry: 16, entries: 4, end: 510, mark: 0xaa55, sector: 512 } as const

/** The type of an entry that only says: there is a GPT. */
const PROTECTIVE = 0xee

/** What partitions of these types mostly hold. */
const TYPES: Readonly<Record<number, string>> = {
  0x07: 'NTFS or exFAT',
  0x0b: 'FAT',
  0x0c: 'FAT',
  0x0e: 'FAT',
  0x82: 'Linux swap',
  0x83: 'Linux',
  0x8e: 'Linux LVM',
  0xef: 'EFI',
}

/**
 * Looks at what is on a disk: the partitions that the kernel knows, or else those of a partition
 * table that can be read. Rejects with the system's error.
 */
export async function presentOn(disk: DiskDevice): Promise<Present> {
  const file = await open(disk.path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    const head = buffer.subarray(0, bytesRead)
    const partitions =
      disk.partitions.length > 0
        ? disk.partitions.map(({ name, label, bytes }) => ({ name, label, bytes }))
        : ((await gptPartitions(disk.path)) ?? mbrPartitions(head, disk.bytes))
    return { partitions, isBlank: isZero(head) }
  } finally {
    await file.close()
  }
}

async function gptPartitions(path: string): Promise<LostPartition[] | undefined> {
  try {
    const { partitions } = await readDisk(path)
    return partitions.map(({ name, size }, at) => ({
      name: `partition ${at + 1}`,
      label: name,
      bytes: size,
    }))
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'no-image') return undefined
    throw error
  }
}

/** The first sector of a FAT file system has the same mark, and code where entries would be. */
function mbrPartitions(head: Buffer, bytes: number): LostPartition[] {
  if (head.length < MBR.sector || head.readUInt16LE(MBR.end) !== MBR.mark) return []
  const partitions: LostPartition[] = []
  for (let number = 1; number <= MBR.entries; number++) {
    const at = MBR.at + (number - 1) * MBR.entry
    const [status, type] = [head.readUInt8(at), head.readUInt8(at + 4)]
    const [start, size] = [head.readUInt32LE(at + 8), head.readUInt32LE(at + 12)]
    if ((status & 0x7f) !== 0 || (start + size) * MBR.sector > bytes) return []
    if (type === 0 || type === PROTECTIVE || size === 0) continue
    partitions.push({
      name: `partition ${number}`,
      label: TYPES[type],
      bytes: size * MBR.sector,
    })
  }
  return partitions
}
