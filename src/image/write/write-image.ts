import { realpath, type FileHandle } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import { ifThere } from '../../base/files.ts'
import { compareWithDisk, copyBody, copyHead, eraseTables, openSource, type Ends } from './copy.ts'
import { diskDevice, type DiskDevice } from './disk-device.ts'
import { dropCache } from './drop-cache.ts'
import { endedIn, type DiskState } from './ended.ts'
import { requireUnused } from './in-use.ts'
import { asNumber, KERNEL, numberOf, type Kernel } from './kernel.ts'
import { openUnused } from './open-unused.ts'
import { presentOn, type Present } from './present.ts'
import { imageOutline, wholeImage, type ImageOutline, type WholeImage } from './whole-image.ts'

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
 * nothing. Fails with `no-image`, `no-record`, `image-changed`, `no-such-disk`, `disk-is-file`,
 * `disk-is-partition`, `disk-of-system`, `disk-busy`, `disk-read-only`, `disk-too-small` or
 * `disk-sectors`.
 */
export async function examineWrite(
  image: string,
  device: string,
  { stores, signal, onRead, kernel = KERNEL }: ExamineOptions,
): Promise<WritePlan> {
  const disk = await diskDevice(device, kernel)
  await requireUnused(disk, stores, kernel)
  await requireElsewhere(image, disk)
  const outline = await imageOutline(image)
  requireFitting(outline, disk)
  const present = await presentOn(disk)
  onRead?.()
  return { image: await wholeImage(outline, signal), disk, present }
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

function requireFitting(
  { size, sectors }: ImageOutline,
  { path, bytes, sector }: DiskDevice,
): void {
  if (bytes < size)
    throw new FixpointError(
      'disk-too-small',
      `Cannot write to "${path}": it has ${bytes} bytes, the image ${size}`,
    )
  if (!sectors.includes(sector))
    throw new FixpointError(
      'disk-sectors',
      `Cannot write to "${path}": its sectors have ${sector} bytes, and the image starts only ` +
        `from disks with sectors of ${sectors.join(' or ')}`,
    )
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
 * Writes an image to a disk, waits until the disk has it, reads it back and compares it. A disk
 * that is written in part must not look whole, neither as the new image nor as what was there. So
 * the old beginning goes first and the new one comes last.
 *
 * Fails with `disk-changed` or `disk-busy` before anything is written, later with `disk-failed`,
 * `disk-read-back`, `image-changed` or `write-interrupted`. Each says what the disk holds.
 */
export async function writeImage(plan: WritePlan, options: WriteOptions): Promise<void> {
  const { image, disk } = plan
  const { signal, onPart, onBytes, onWarning } = options
  const target = await openSame(disk)
  let source: FileHandle | undefined
  let state: DiskState = 'untouched'
  try {
    source = await openSource(image)
    signal.throwIfAborted()
    const ends: Ends = { image, source, disk, target, signal, onBytes }
    onPart('write')
    state = 'erasing'
    await eraseTables(ends)
    state = 'in part'
    const head = await copyBody(ends)
    state = 'ending'
    await copyHead(ends, head)
    state = 'written'
    if (!(await dropCache(disk.path)))
      onWarning('blockdev(8) did not run: what is read back may come from memory, not the disk')
    onPart('read back')
    await compareWithDisk(ends)
  } catch (error) {
    throw endedIn(state, disk.path, error, signal)
  } finally {
    await source?.close()
    // It may be gone by now.
    await target.close().catch(() => undefined)
  }
}

/** Opens a disk for writing, if it is the one that was examined: the user may have taken long. */
async function openSame(disk: DiskDevice): Promise<FileHandle> {
  const target = await openUnused(disk.path, 'write')
  const { rdev } = await target.stat()
  if (asNumber(rdev) === disk.number && (await isSame(disk))) return target
  await target.close()
  throw new FixpointError('disk-changed', `Cannot write to "${disk.path}": it is another disk now`)
}

async function isSame(disk: DiskDevice): Promise<boolean> {
  const now = await diskDevice(disk.path, KERNEL)
  return now.number === disk.number && now.bytes === disk.bytes && now.sequence === disk.sequence
}
