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

/**
 * Reads the regular file at `path`, which is relative to `root`. Nothing below `root` is reached
 * through a link, no pipe or device is waited for, and no more than `limit` bytes are taken.
 * Undefined after noting why not: `missing-file`, `symlink`, `special-file`, `file-too-large`,
 * `unsafe-path` (a folder on the way is a link), `unreadable-file`. `file` is what messages call
 * it.
 */
export function readBeneath(
  root: string,
  path: string,
  limit: number,
  faults: Faults,
  file = join(root, path),
): FileContent | undefined {
  try {
    return beneath(root, path, (folder, name) => {
      const stat = folder.stat(name)
      if (stat === undefined) addMissing(file, faults)
      else if (stat.isSymbolicLink()) addSymlink(file, faults)
      else if (!stat.isFile()) addSpecial(file, 'a regular file', faults)
      else {
        const bytes = stat.size > limit ? undefined : readOpen(folder.read(name), stat.size, limit)
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
 * All bytes of an open file, which is closed; undefined when there are more than `limit`. What lies
 * in /proc has no size, and a file may grow meanwhile.
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

/**
 * Notes that a file or folder cannot be read: `missing-file`, `unsafe-path` or `unreadable-file`.
 */
export function addUnreadable(file: string, error: unknown, faults: Faults): void {
  const code = errorCode(error) ?? String(error)
  if (error instanceof FixpointError) faults.add(error.code, error.message, { file })
  else if (code === 'ENOENT' || code === 'ENOTDIR') addMissing(file, faults)
  else
    faults.add('unreadable-file', `Cannot read "${file}": ${systemReason(error) ?? code}`, { file })
}

/** Notes a link where none may be. */
export function addSymlink(file: string, faults: Faults): void {
  faults.add(
    'symlink',
    `Cannot use "${file}": it is a symbolic link`,
    { file },
    `Replace it by what it points to: what "${basename(file)}" means would depend on the machine`,
  )
}

/** Notes something that is not what its name says: `wanted` is what it must be. */
export function addSpecial(file: string, wanted: string, faults: Faults): void {
  faults.add('special-file', `Cannot use "${file}": it must be ${wanted}`, { file })
}

function addMissing(file: string, faults: Faults): void {
  faults.add('missing-file', `Cannot read "${file}": there is no such file`, { file })
}

function addTooLarge(file: string, limit: number, faults: Faults): void {
  faults.add(
    'file-too-large',
    `Cannot read "${file}": it has more than the ${limit} bytes that are allowed`,
    { file },
    'A large file is fetched, as a source',
  )
}
