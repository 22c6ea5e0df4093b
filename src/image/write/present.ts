import type { FileHandle } from 'node:fs/promises'
import { isZero } from '../../base/chunks.ts'
import { FixpointError } from '../../base/error.ts'
import { readDisk, TABLE_MARK, type DiskImage, type Partition } from '../disk.ts'
import type { DiskDevice } from './disk-device.ts'
import { fileSystemIn, MARKED, type FileSystem } from './file-system.ts'
import { openUnused } from './open-unused.ts'

/** A partition that will be lost. */
export interface LostPartition {
  readonly name: string
  /** Its name in a GPT. */
  readonly label: string | undefined
  readonly bytes: number
  readonly fileSystem: FileSystem | undefined
}

/** What is on a disk before it is overwritten, as far as a look at its beginning tells. */
export interface Present {
  readonly table: 'GPT' | 'MBR' | undefined
  readonly partitions: readonly LostPartition[]
  /** One that has the whole disk. */
  readonly fileSystem: FileSystem | undefined
  /** Whether its first MiB holds zeros only. */
  readonly isBlank: boolean
}

/** A partition, and where it begins; in bytes. */
type Place = Omit<LostPartition, 'fileSystem'> & { readonly start: number }

/** Name of what lies behind an image on a larger disk. */
const BEHIND = 'behind the partitions'

/** Bytes of the disk that are looked at. */
const HEAD = 1 << 20

/** The partition table of PCs before GPT: four entries in the first sector. */
const MBR = { at: 446, entry: 16, entries: 4, end: 510, mark: 0xaa55, sector: 512 } as const

/** The type of an entry that only says: there is a GPT. */
const PROTECTIVE = 0xee

/**
 * Looks at what is on a disk: the partitions that the kernel knows, or else those of a partition
 * table that can be read. Fails with `disk-busy` where anything holds the disk, and `host-refuses`.
 */
export async function presentOn(disk: DiskDevice): Promise<Present> {
  const file = await openUnused(disk.path, 'read')
  try {
    const head = await beginning(file, 0, Math.min(HEAD, disk.bytes))
    const old = oldTable(head, disk.bytes)
    const isGpt =
      head.toString('latin1', disk.sector, disk.sector + TABLE_MARK.length) === TABLE_MARK
    const gpt = await tableOf(disk.path)
    const known = disk.partitions.length > 0 ? disk.partitions : (gpt?.partitions.map(named) ?? old)
    const places = gpt === undefined ? known : [...known, ...behind(gpt, disk)]
    const looked = await Promise.all(
      places.map(async ({ start, ...place }) => ({
        ...{ name: place.name, label: place.label, bytes: place.bytes },
        fileSystem: fileSystemIn(await beginning(file, start, Math.min(MARKED, place.bytes))),
      })),
    )
    const partitions = looked.filter(
      ({ name, fileSystem }) => name !== BEHIND || fileSystem !== undefined,
    )
    return {
      table: isGpt ? 'GPT' : old.length > 0 ? 'MBR' : undefined,
      partitions,
      fileSystem: partitions.length > 0 ? undefined : fileSystemIn(head),
      isBlank: isZero(head),
    }
  } finally {
    await file.close()
  }
}

/** The first bytes from a place on; fewer where the disk ends, none where it cannot be read. */
async function beginning(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  // It is overwritten anyway: what is broken there need not be known.
  const { bytesRead } = await file
    .read(buffer, 0, length, start)
    .catch(() => ({ bytesRead: 0 }) as const)
  return buffer.subarray(0, bytesRead)
}

async function tableOf(path: string): Promise<DiskImage | undefined> {
  try {
    return await readDisk(path)
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'no-image') return undefined
    throw error
  }
}

function named({ name, start, size }: Partition, at: number): Place {
  const label = name === '' ? undefined : name
  return { name: `partition ${at + 1}`, label, bytes: size, start }
}

/** An appliance keeps data where its table says that the disk has ended. */
function behind({ size }: DiskImage, disk: DiskDevice): Place[] {
  if (size >= disk.bytes) return []
  return [{ name: BEHIND, label: undefined, bytes: disk.bytes - size, start: size }]
}

/** The first sector of a FAT file system has the same mark, and code where entries would be. */
function oldTable(head: Buffer, bytes: number): Place[] {
  if (head.length < MBR.sector || head.readUInt16LE(MBR.end) !== MBR.mark) return []
  const places: Place[] = []
  for (let number = 1; number <= MBR.entries; number++) {
    const at = MBR.at + (number - 1) * MBR.entry
    const [status, type] = [head.readUInt8(at), head.readUInt8(at + 4)]
    const [start, size] = [head.readUInt32LE(at + 8), head.readUInt32LE(at + 12)]
    if ((status & 0x7f) !== 0 || (start + size) * MBR.sector > bytes) return []
    if (type === 0 || type === PROTECTIVE || size === 0) continue
    places.push({
      name: `partition ${number}`,
      label: undefined,
      bytes: size * MBR.sector,
      start: start * MBR.sector,
    })
  }
  return places
}
