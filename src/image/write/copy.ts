import { createHash, type Hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { CHUNK } from '../../base/chunks.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import { TABLE_MARK } from '../disk.ts'
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

/** Opens an image that was examined. Fails with `image-changed` where it is gone. */
export async function openSource(image: WholeImage): Promise<FileHandle> {
  return open(image.path, 'r').catch((cause: unknown) => {
    throw errorCode(cause) === 'ENOENT' ? changed(image, cause) : cause
  })
}

/** Bytes at the beginning that are written last: boot code and partition tables. */
const HEAD = 1 << 20

/**
 * Bytes after which the disk is waited for, and its progress is told. The system would take in
 * gigabytes first.
 */
const FLUSH = 32 << 20

/** Sizes that sectors of disks have. */
const SECTORS = [512, 4096] as const

/**
 * Erases the partition tables of a disk, so that nothing takes it for what it was: the first MiB,
 * and a copy of the table in the last sector. A firmware may use that where there is no other.
 * Fails with `disk-failed`.
 */
export async function eraseTables(ends: Ends): Promise<void> {
  const { disk, target } = ends
  await write(ends, Buffer.alloc(Math.min(HEAD, disk.bytes)), 0)
  for (const sector of SECTORS) {
    const at = Math.max(0, disk.bytes - sector)
    const found = Buffer.alloc(TABLE_MARK.length)
    await onDisk(ends, 'read', at, target.read(found, 0, found.length, at))
    if (found.toString('latin1') === TABLE_MARK) await write(ends, Buffer.alloc(sector), at)
  }
  await onDisk(ends, 'write', 0, target.datasync())
}

/**
 * Copies an image but for its beginning, and resolves to that, once the disk says that it has the
 * rest. Fails with `disk-failed`, and with `image-changed` where the image is not what it was.
 */
export async function copyBody(ends: Ends): Promise<Buffer> {
  const { image } = ends
  const hash = createHash('sha256')
  const head = await readImage(ends, Buffer.alloc(Math.min(HEAD, image.size)), 0)
  hash.update(head)
  // A firmware also takes the second copy of the table, where image and disk end together.
  const tail = Math.max(head.length, image.size - HEAD)
  await copyRange(ends, [head.length, tail], hash)
  const last = await readImage(ends, Buffer.alloc(image.size - tail), tail)
  hash.update(last)
  if (hash.digest('hex') !== image.sha256) throw changed(image)
  await write(ends, last, tail)
  await onDisk(ends, 'write', tail, ends.target.datasync())
  return head
}

/** Writes the beginning of an image: from now on, a disk is whole. Fails with `disk-failed`. */
export async function copyHead(ends: Ends, head: Buffer): Promise<void> {
  await write(ends, head, 0)
  await onDisk(ends, 'write', 0, ends.target.datasync())
  ends.onBytes(ends.image.size)
}

/** Copies a range of bytes. */
async function copyRange(
  ends: Ends,
  [from, to]: readonly [number, number],
  hash: Hash,
): Promise<void> {
  const { signal, target, onBytes } = ends
  const buffer = Buffer.allocUnsafe(CHUNK)
  let flushed = from
  for (let at = from; at < to;) {
    signal.throwIfAborted()
    const chunk = await readImage(ends, buffer.subarray(0, Math.min(CHUNK, to - at)), at)
    hash.update(chunk)
    await write(ends, chunk, at)
    at += chunk.length
    if (at - flushed < FLUSH && at < to) continue
    await onDisk(ends, 'write', flushed, target.datasync())
    flushed = at
    onBytes(at - from)
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
    if (!wanted.equals(found)) {
      const place = at + wanted.findIndex((byte, index) => byte !== found[index])
      throw new FixpointError(
        'disk-read-back',
        `Cannot trust "${disk.path}": byte ${place} is not what was written`,
      )
    }
    hash.update(found)
    if ((at + length) % FLUSH === 0 || at + length === image.size) onBytes(at + length)
  }
  // Both are the same by now, so the image is not what it was.
  if (hash.digest('hex') !== image.sha256) throw changed(image)
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
  return new FixpointError(
    'disk-failed',
    `Cannot ${what} "${disk.path}" at byte ${at}: ${reason}`,
    {
      cause,
    },
  )
}

function changed({ path }: WholeImage, cause?: unknown): FixpointError {
  return new FixpointError('image-changed', `Cannot write "${path}": it changed meanwhile`, {
    cause,
  })
}
