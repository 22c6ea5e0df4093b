import { closeSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { beneath } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import type { Faults } from './faults.ts'

/** A regular file's bytes, and whether its owner may run it. */
export interface FileContent {
  readonly bytes: Buffer
  readonly executable: boolean
}

/** How large a file may be, and what its author can do about a larger one. */
export interface Limit {
  readonly bytes: number
  readonly hint: string
}

/** How a file is read; `file` is what messages call it. */
export interface ReadOptions {
  readonly limit: Limit
  readonly faults: Faults
  readonly file?: string
}

/**
 * Reads the regular file at `path`, which is relative to `root`. It follows no link below `root`,
 * waits for no pipe or device, and takes no more bytes than the limit. Undefined after noting why
 * not: `missing-file`, `symlink`, `special-file`, `file-too-large`, `unsafe-file` (a folder on the
 * way is a link), `unreadable-file`.
 */
export function readBeneath(
  root: string,
  path: string,
  { limit, faults, file = join(root, path) }: ReadOptions,
): FileContent | undefined {
  try {
    return beneath(root, path, (folder, name) => {
      const stat = folder.stat(name)
      if (stat === undefined) addMissing(file, faults)
      else if (stat.isSymbolicLink()) addSymlink(file, faults)
      else if (!stat.isFile()) addSpecial(file, 'a regular file', faults)
      else {
        const bytes =
          stat.size > limit.bytes ? undefined : readOpen(folder.read(name), stat.size, limit.bytes)
        if (bytes !== undefined) return { bytes, executable: (stat.mode & 0o100) !== 0 }
        addTooLarge(file, limit, faults)
      }
      return undefined
    })
  } catch (error) {
    addUnreadable(file, error, faults)
    return undefined
  }
}

/**
 * All bytes of an open file, which is closed; undefined when there are more than `limit`. The size
 * that was stated is only a guess: files in /proc state none, and a file may grow meanwhile.
 */
function readOpen(fd: number, expected: number, limit: number): Buffer | undefined {
  try {
    let buffer = Buffer.allocUnsafe(Math.min(expected, limit) + 1)
    for (let length = 0; ;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null)
      length += count
      if (count === 0) return buffer.subarray(0, length)
      if (length > limit) return undefined
      if (length === buffer.length)
        buffer = Buffer.concat([buffer], Math.min(2 * length, limit + 1))
    }
  } finally {
    closeSync(fd)
  }
}

/** Notes why a file or folder cannot be read: `missing-file`, `unsafe-file`, `unreadable-file`. */
export function addUnreadable(file: string, error: unknown, faults: Faults): void {
  const code = errorCode(error) ?? String(error)
  if (error instanceof FixpointError) faults.add('unsafe-file', error.message, { file })
  else if (code === 'ENOENT' || code === 'ENOTDIR') addMissing(file, faults)
  else
    faults.add('unreadable-file', `Cannot read "${file}": ${systemReason(error) ?? code}`, { file })
}

/** Notes a link where none may be. */
export function addSymlink(file: string, faults: Faults): void {
  const message = `Cannot use "${file}": it is a symbolic link`
  faults.add('symlink', message, { file }, linkHint(basename(file)))
}

/** What to do about a link of that name. */
export function linkHint(name: string): string {
  return `Replace it by what it points to: "${name}" may differ on each machine`
}

/** Notes something that is not what its name says: `wanted` is what it must be. */
export function addSpecial(file: string, wanted: string, faults: Faults): void {
  faults.add('special-file', `Cannot use "${file}": it must be ${wanted}`, { file })
}

function addMissing(file: string, faults: Faults): void {
  faults.add('missing-file', `Cannot read "${file}": there is no such file`, { file })
}

function addTooLarge(file: string, { bytes, hint }: Limit, faults: Faults): void {
  const message = `Cannot read "${file}": it has more than ${bytes} bytes, the most allowed`
  faults.add('file-too-large', message, { file }, hint)
}
