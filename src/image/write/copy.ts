import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { CHUNK } from '../../base/chunks.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import type { WholeImage } from './whole-image.ts'

/** Both ends of a copy, open; the disk also for writing. */
export interface Ends {
  readonly image: WholeImage
  readonly source: FileHandle
  readonly disk: { readonly path: string; readonly bytes: number }
  readonly target: FileHandle
  readonly signal: AbortSignal
  /** Called now and then, with the bytes that were copied or compared so far. */
  readonly onBytes: (bytes: number) => void
}

/** Bytes at the beginning that are written last: boot code and partition table. */
const HEAD = 1 << 20

/**
 * Bytes after which the disk is waited for, and its progress is told. The system would take in
 * gigabytes first.
 */
const FLUSH = 32 << 20

/** The mark of a partition table (GPT), and the sizes that sectors of disks have. */
const MARK = Buffer.from('EFI PART')
const SECTORS = [512, 4096] as const

/**
 * Copies an image to the beginning of a disk. A disk that is written in part must not look whole:
 * neither as the new image nor as what was there before. So the old beginning goes first, and the
 * new one comes last, each time after the disk says that it has all the rest. Fails with
 * `disk-failed` or `image-changed`.
 */
export async function copyToDisk(ends: Ends): Promise<void> {
  const { size } = ends.image
  await eraseTables(ends)
  const head = Math.min(HEAD, size)
  // A firmware also takes the second copy of the table, where the image ends with the disk.
  const tail = Math.max(head, size - HEAD)
  await copyRange(ends, [head, tail], 0)
  await copyRange(ends, [tail, size], tail - head)
  await copyRange(ends, [0, head], size - head)
}

/**
 * Overwrites the beginning with zeros, and the copy of an older partition table in the last sector
 * of the disk. Otherwise a firmware may take that for the table.
 */
async function eraseTables(ends: Ends): Promise<void> {
  const { disk, target } = ends
  await write(ends, Buffer.alloc(Math.min(HEAD, disk.bytes)), 0)
  for (const sector of SECTORS) {
    const at = disk.bytes - sector
    const found = Buffer.alloc(MARK.length)
    await onDisk(ends, 'read', at, target.read(found, 0, found.length, at))
    if (found.equals(MARK)) await write(ends, Buffer.alloc(sector), at)
  }
  await onDisk(ends, 'write', 0, target.datasync())
}

/** Copies a range of bytes after so many others. */
async function copyRange(
  ends: Ends,
  [from, to]: readonly [number, number],
  before: number,
): Promise<void> {
  const { signal, target, onBytes } = ends
  const buffer = Buffer.allocUnsafe(CHUNK)
  let flushed = from
  for (let at = from; at < to;) {
    signal.throwIfAborted()
    const chunk = await readImage(ends, buffer.subarray(0, Math.min(CHUNK, to - at)), at)
    await write(ends, chunk, at)
    at += chunk.length
    if (at - flushed < FLUSH && at < to) continue
    await onDisk(ends, 'write', flushed, target.datasync())
    flushed = at
    onBytes(before + at - from)
  }
}

/**
 * Reads an image back from a disk and compares it. Fails with `disk-read-back`, naming the first
 * byte that differs, with `disk-failed`, or with `image-changed`.
 */
export async function compareWithDisk(ends: Ends): Promise<void> {
  const { image, disk, signal, onBytes } = ends
  const hash = createHash('sha256')
  const [one, other] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  for (let at = 0; at < image.size; at += CHUNK) {
    signal.throwIfAborted()
    const length = Math.min(CHUNK, image.size - at)
    const wanted = await readImage(ends, one.subarray(0, length), at)
    const found = await readDisk(ends, other.subarray(0, length), at)
    if (!wanted.equals(found))
      throw new FixpointError(
        'disk-read-back',
        `Cannot trust "${disk.path}": byte ${at + firstDifference(wanted, found)} is not what ` +
          `was written`,
      )
    hash.update(found)
    if ((at + length) % FLUSH === 0 || at + length === image.size) onBytes(at + length)
  }
  // Both are the same by now, so the image is not what it was.
  if (hash.digest('hex') !== image.sha256) throw changed(image)
}

function firstDifference(a: Buffer, b: Buffer): number {
  return a.findIndex((byte, at) => byte !== b[at])
}

/** Fills `buffer` from the image. */
async function readImage({ image, source }: Ends, buffer: Buffer, at: number): Promise<Buffer> {
  if (!(await fill(source, buffer, at))) throw changed(image)
  return buffer
}

async function readDisk(ends: Ends, buffer: Buffer, at: number): Promise<Buffer> {
  if (!(await onDisk(ends, 'read', at, fill(ends.target, buffer, at))))
    throw failed(ends, 'read', at, 'it ends there')
  return buffer
}

/** False where the file ends before. */
async function fill(file: FileHandle, buffer: Buffer, at: number): Promise<boolean> {
  for (let done = 0; done < buffer.length;) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, at + done)
    if (bytesRead === 0) return false
    done += bytesRead
  }
  return true
}

async function write(ends: Ends, data: Buffer, at: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const place = at + done
    const writing = ends.target.write(data, done, data.length - done, place)
    done += (await onDisk(ends, 'write', place, writing)).bytesWritten
  }
}

/** Turns an error of the disk into `disk-failed`. */
async function onDisk<T>(
  ends: Ends,
  action: 'read' | 'write',
  at: number,
  operation: Promise<T>,
): Promise<T> {
  try {
    return await operation
  } catch (cause) {
    const code = errorCode(cause)
    if (code === undefined) throw cause
    // It was large enough before: a disk that is unplugged has no bytes any more.
    const reason = code === 'ENOSPC' ? 'it ends there' : (systemReason(cause) ?? code)
    throw failed(ends, action, at, reason, cause)
  }
}

function failed(
  { disk }: Ends,
  action: 'read' | 'write',
  at: number,
  reason: string,
  cause?: unknown,
): FixpointError {
  const what = action === 'read' ? 'read back' : 'write to'
  return new FixpointError('disk-failed', `Cannot ${what} "${disk.path}" at byte ${at}: ${reason}`, {
    cause,
  })
}

function changed({ path }: WholeImage): FixpointError {
  return new FixpointError('image-changed', `Cannot write "${path}": it changed meanwhile`)
}
