import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import { asNumber, attribute, folderOf, namesIn, wholeOf, type Kernel } from './kernel.ts'

/** A whole disk, as the kernel shows it. */
export interface DiskDevice {
  /** As the user named it; it may be a link. */
  readonly path: string
  /** As the kernel names it, such as `sdb`. */
  readonly name: string
  /** `MAJOR:MINOR` */
  readonly number: string
  readonly bytes: number
  /** Bytes of one of its sectors: 512 or 4096 on nearly every disk. */
  readonly sector: number
  /** Manufacturer and model. */
  readonly model: string | undefined
  /** The file that a loop device is made of. */
  readonly file: string | undefined
  readonly isRemovable: boolean
  readonly isReadOnly: boolean
  /** The kernel's count of disks, which tells two disks apart that had one name after the other. */
  readonly sequence: string | undefined
  readonly partitions: readonly KernelPartition[]
}

/** A partition that the kernel made a device of. */
export interface KernelPartition {
  readonly name: string
  readonly number: string
  readonly bytes: number
  /** Where it begins on the disk, in bytes. */
  readonly start: number
  /** Its name in a GPT. */
  readonly label: string | undefined
}

/** The kernel counts in these bytes, whatever the sectors of the disk are. */
const UNIT = 512

/**
 * Describes the disk at a path. Fails with `disk-is-file`, `disk-is-partition` or `no-such-disk`.
 */
export async function diskDevice(path: string, kernel: Kernel): Promise<DiskDevice> {
  const number = await requireDevice(path)
  const folder = folderOf(number, kernel)
  if (folder === undefined) throw noSuchDisk(path, `the kernel shows no device ${number}`)
  const whole = wholeOf(folder)
  if (whole !== folder)
    throw new FixpointError(
      'disk-is-partition',
      `Cannot write to "${path}": it is a partition of "${devicePath(basename(whole))}"`,
    )
  const bytes = bytesOf(folder)
  if (bytes === 0) throw noSuchDisk(path, 'there is no disk in it')
  return {
    path,
    name: basename(folder),
    number,
    bytes,
    sector: Number(attribute(folder, 'queue/logical_block_size') ?? UNIT),
    model: modelOf(folder),
    file: attribute(folder, 'loop/backing_file'),
    isRemovable: attribute(folder, 'removable') === '1',
    isReadOnly: attribute(folder, 'ro') === '1',
    sequence: attribute(folder, 'diskseq'),
    partitions: namesIn(folder).flatMap((name) => partitionIn(folder, name)),
  }
}

/** Path of a device by the kernel's name, in which `!` stands for a slash. */
export function devicePath(name: string): string {
  return join('/dev', name.replaceAll('!', '/'))
}

async function requireDevice(path: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    const reason = errorCode(cause) === 'ENOENT' ? 'nothing is there' : systemReason(cause)
    throw reason === undefined ? cause : noSuchDisk(path, reason, cause)
  })
  if (found.isBlockDevice()) return asNumber(found.rdev)
  if (found.isFile())
    throw new FixpointError('disk-is-file', `Cannot write to "${path}": it is a file, and no disk`)
  throw noSuchDisk(path, 'it is no disk')
}

function noSuchDisk(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('no-such-disk', `Cannot write to "${path}": ${reason}`, { cause })
}

function bytesOf(folder: string, name: 'size' | 'start' = 'size'): number {
  return Number(attribute(folder, name) ?? 0) * UNIT
}

function modelOf(folder: string): string | undefined {
  // Vendors of virtio are numbers. Cards have only a name.
  const words = ['vendor', 'model', 'name'].flatMap((name) => {
    const text = attribute(folder, `device/${name}`)
    return text === undefined || text === '' || /^0x/.test(text) ? [] : [text]
  })
  return words.length === 0 ? undefined : words.join(' ')
}

function partitionIn(disk: string, name: string): KernelPartition[] {
  const folder = join(disk, name)
  const number = attribute(folder, 'dev')
  if (number === undefined || attribute(folder, 'partition') === undefined) return []
  const label = /^PARTNAME=(.*)$/m.exec(attribute(folder, 'uevent') ?? '')?.[1]
  return [{ name, number, bytes: bytesOf(folder), start: bytesOf(folder, 'start'), label }]
}
