import { constants } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import { errorCode, ifThere } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import { compareWithDisk, copyToDisk, type Ends } from './copy.ts'
import { diskDevice, type DiskDevice } from './disk-device.ts'
import { dropCache } from './drop-cache.ts'
import { requireUnused } from './in-use.ts'
import { asNumber, KERNEL, numberOf, type Kernel } from './kernel.ts'
import { presentOn, type Present } from './present.ts'
import { wholeImage, type WholeImage } from './whole-image.ts'

/** An image and the disk that it may be written to, both examined. */
export interface WritePlan {
  readonly image: WholeImage
  readonly disk: DiskDevice
  readonly present: Present
}

/** What examining takes beside image and disk. */
export interface ExamineOptions {
  /** Folders of stores, which must not be on the disk. */
  readonly stores: readonly string[]
  readonly signal: AbortSignal
  /** Called when the disk is fine, and the image is read next. */
  readonly onRead?: () => void
  readonly kernel?: Kernel
}

/**
 * Examines whether an image can be written to a disk, and what would be lost there. Changes
 * nothing. Fails with `no-image`, `image-changed`, `no-such-disk`, `disk-is-file`,
 * `disk-is-partition`, `disk-of-system`, `disk-busy`, `disk-read-only` or `disk-too-small`.
 */
export async function examineWrite(
  image: string,
  device: string,
  { stores, signal, onRead, kernel = KERNEL }: ExamineOptions,
): Promise<WritePlan> {
  const disk = await diskDevice(device, kernel)
  await requireUnused(disk, stores, kernel)
  await requireElsewhere(image, disk)
  onRead?.()
  const whole = await wholeImage(image, signal)
  if (disk.bytes < whole.size)
    throw new FixpointError(
      'disk-too-small',
      `Cannot write to "${device}": it has ${disk.bytes} bytes, the image ${whole.size}`,
    )
  return { image: whole, disk, present: await presentOn(disk) }
}

/** Makes sure that an image is not read from the disk that it is to be written to. */
async function requireElsewhere(image: string, disk: DiskDevice): Promise<void> {
  const number = await numberOf(image)
  const isOnIt =
    [disk, ...disk.partitions].some((part) => part.number === number) ||
    (disk.file !== undefined && (await ifThere(realpath(image))) === disk.file)
  if (isOnIt)
    throw new FixpointError('disk-busy', `Cannot write to "${disk.path}": the image is on it`)
}

/** What writing takes beside its plan. */
export interface WriteOptions {
  readonly signal: AbortSignal
  /** Called before each part of the work, with what is done next. */
  readonly onPart: (part: 'write' | 'read back') => void
  /** Called with the bytes of the present part that are done. */
  readonly onBytes: (bytes: number) => void
  /** Called with what the user should know beside the result. */
  readonly onWarning: (message: string) => void
}

/**
 * Writes an image to a disk, waits until the disk has it, reads it back and compares it. Fails with
 * `disk-changed` or `disk-busy` before anything is written, later with `disk-failed`,
 * `disk-read-back` or `image-changed`.
 */
export async function writeImage(plan: WritePlan, options: WriteOptions): Promise<void> {
  const { image, disk } = plan
  const { signal, onPart, onWarning } = options
  const target = await openDisk(disk)
  const source = await open(image.path, 'r')
  const ends: Ends = { image, source, disk, target, signal, onBytes: options.onBytes }
  try {
    onPart('write')
    await copyToDisk(ends).catch((error: unknown) => {
      if (signal.aborted) onWarning(`"${disk.path}" is written in part: nothing starts from it`)
      throw error
    })
    if (!(await dropCache(disk.path)))
      onWarning('blockdev(8) did not run: what is read back may come from memory, not the disk')
    onPart('read back')
    await compareWithDisk(ends)
  } finally {
    await source.close()
    // It may be gone by now.
    await target.close().catch(() => undefined)
  }
}

/**
 * Opens a disk for this process alone: with O_EXCL, Linux refuses one that anything else holds, see
 * open(2). It stays open until all is read back, so that no other program mounts it before.
 */
async function openDisk(disk: DiskDevice): Promise<FileHandle> {
  let target: FileHandle
  try {
    target = await open(disk.path, constants.O_RDWR | constants.O_EXCL)
  } catch (cause) {
    if (errorCode(cause) === 'EBUSY')
      throw new FixpointError('disk-busy', `Cannot write to "${disk.path}": something holds it`, {
        cause,
      })
    const reason = systemReason(cause)
    if (reason === undefined) throw cause
    throw new FixpointError('host-refuses', `Cannot open "${disk.path}": ${reason}`, { cause })
  }
  const { rdev } = await target.stat()
  if (asNumber(rdev) === disk.number && (await isSame(disk))) return target
  await target.close()
  throw new FixpointError('disk-changed', `Cannot write to "${disk.path}": it is another disk now`)
}

/** Whether a disk is the one that was examined. The user may have taken long to say yes. */
async function isSame(disk: DiskDevice): Promise<boolean> {
  const now = await diskDevice(disk.path, KERNEL)
  return now.number === disk.number && now.bytes === disk.bytes && now.sequence === disk.sequence
}
