import { closeSync, readSync, writeSync } from 'node:fs'
import { beneath, type Folder } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'

/** Bytes that a disk reads or fails to read as one. */
const PAGE = 4096

/** Files by their paths below a root. No link below the root is followed. */
export interface FilesBelow {
  readonly root: string
  readonly paths: readonly string[]
}

/** One file of {@link FilesBelow}. */
export interface FileBelow {
  readonly root: string
  readonly path: string
}

/** Each file once. */
export function filesOf(below: FilesBelow | readonly FilesBelow[]): FileBelow[] {
  return [below]
    .flat()
    .flatMap(({ root, paths }) => [...new Set(paths)].map((path) => ({ root, path })))
}

/** An open regular file, and its size in bytes when it was opened. */
export interface OpenedFile {
  readonly fd: number
  readonly size: number
}

/**
 * Opens a regular file; its user closes it. `unreadable` stands for a link, pipe, device or folder
 * in its place, and for what this user may not read.
 */
function openBelow({ root, path }: FileBelow): OpenedFile | 'missing' | 'unreadable' {
  try {
    const { fd, stat } = beneath(root, path, (folder, name) => folder.openFile(name))
    return { fd, size: stat.size }
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'unsafe-path') return 'unreadable'
    const code = errorCode(error) ?? ''
    if (code === 'ENOENT') return 'missing'
    if (['EACCES', 'EPERM', 'ENAMETOOLONG', 'ENOTDIR'].includes(code)) return 'unreadable'
    throw error
  }
}

/** Calls `use` with a file that {@link openBelow} opens, and closes it afterwards. */
export async function withBelow<T>(
  file: FileBelow,
  use: (opened: OpenedFile) => Promise<T>,
): Promise<T | 'missing' | 'unreadable'> {
  const opened = openBelow(file)
  if (typeof opened === 'string') return opened
  try {
    return await use(opened)
  } finally {
    closeSync(opened.fd)
  }
}

/** Reads from an open file into all of `target`. What lies behind its end is zeros. */
export type Reader = (fd: number, target: Uint8Array, position: number) => void

/** A {@link Reader} that throws the system's errors: for what is to be protected. */
export const readAt: Reader = (fd, target, position) => {
  let done = 0
  while (done < target.length) {
    const count = readSync(fd, target, done, target.length - done, position + done)
    if (count === 0) break
    done += count
  }
  target.fill(0, done)
}

/**
 * A {@link Reader} for damaged disks: pages that the disk cannot read are zeros. For what is
 * compared with digests.
 */
export const readWhatIsLeft: Reader = (fd, target, position) => {
  if (isRead(fd, target, position)) return
  for (let at = 0; at < target.length;) {
    const length = PAGE - ((position + at) % PAGE)
    const page = target.subarray(at, at + length)
    if (!isRead(fd, page, position + at)) page.fill(0)
    at += length
  }
}

/** Reads as {@link readAt} does. False where the disk cannot read it all. */
function isRead(fd: number, target: Uint8Array, position: number): boolean {
  try {
    readAt(fd, target, position)
    return true
  } catch (error) {
    if (errorCode(error) !== 'EIO') throw error
    return false
  }
}

/** Makes a new file and opens it for writing. Throws `parity-file-there` or the system's errors. */
export function createNew(folder: Folder, name: string): number {
  try {
    return folder.create(name, 0o666)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    throw new FixpointError(
      'parity-file-there',
      `Cannot make "${folder.shown}/${name}": it is there already`,
      { cause: error },
    )
  }
}

/** Cleans up after an error, which says more than what fails then. */
export function ignoreFailure(cleanUp: () => void): void {
  try {
    cleanUp()
  } catch {
    // The caller throws the first error.
  }
}

/** Writes all of `data` at a position of an open file. */
export function writeAt(fd: number, data: Uint8Array, position: number): void {
  for (let done = 0; done < data.length;)
    done += writeSync(fd, data, done, data.length - done, position + done)
}

/** Reads pieces of many files and keeps the last one open, as their order is mostly by file. */
export class PieceReader {
  readonly #reader: Reader
  #last: (FileBelow & OpenedFile) | undefined

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /**
   * Fills `target` as the reader does. A file that is no longer there gives zeros: what is made
   * of them does not fit its digest.
   */
  read(file: FileBelow, target: Uint8Array, position: number): void {
    if (this.#last?.path !== file.path || this.#last.root !== file.root) {
      this.close()
      const opened = openBelow(file)
      if (typeof opened !== 'string') this.#last = { ...file, ...opened }
    }
    if (this.#last === undefined) target.fill(0)
    else this.#reader(this.#last.fd, target, position)
  }

  close(): void {
    if (this.#last !== undefined) closeSync(this.#last.fd)
    this.#last = undefined
  }
}

/** A part of an open file in memory, which moves forward as its user does. */
export class FileWindow {
  readonly size: number
  readonly #fd: number
  readonly #buffer: Buffer
  readonly #reader: Reader
  #begin = 0
  #length = 0

  /** `buffer` is as long as the longest part that is asked for at least. */
  constructor({ fd, size }: OpenedFile, buffer: Buffer, reader: Reader) {
    this.#fd = fd
    this.size = size
    this.#buffer = buffer
    this.#reader = reader
  }

  /**
   * The bytes from `position` on: `least` of them, or all up to the end of the file, and more where
   * they are in memory. Valid until the next call.
   */
  from(position: number, least: number): Buffer {
    const end = Math.min(this.size, position + least)
    if (position < this.#begin || end > this.#begin + this.#length) {
      this.#begin = position
      this.#length = Math.max(0, Math.min(this.#buffer.length, this.size - position))
      this.#reader(this.#fd, this.#buffer.subarray(0, this.#length), position)
    }
    return this.#buffer.subarray(position - this.#begin, this.#length)
  }
}
