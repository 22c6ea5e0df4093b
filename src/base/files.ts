import { execFile } from 'node:child_process'
import { access, constants, lstat, mkdir, open, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { FixpointError } from './error.ts'

const run = promisify(execFile)

/** The system's error code (`ENOENT`, `ENOSPC`, …) of a rejected file operation, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/**
 * True when something lies at `path`, be it a dangling link. Rejects for errors other than absence.
 */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}

/** What a file operation gives; undefined when nothing is at its path. */
export async function ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Bytes that this user may still write to the file system that `path` is on. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/**
 * Makes a folder, and those above it that are missing. For paths that a user names: where the
 * system says ENOENT though the folder above is there, as below /proc, Node's own `recursive` never
 * ends. `mode` is that of a new folder itself. Rejects with `no-folder` there, otherwise as
 * mkdir(2) does.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const folder = resolve(path)
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST' && (await isFolder(folder))) return
    if (code !== 'ENOENT') throw error
    if (await exists(dirname(folder))) throw noFolder(folder, error)
    await makeFolder(dirname(folder))
    await makeFolder(folder, mode)
  }
}

/**
 * Makes sure, without changing anything, that files can be put into a folder, or that it can be
 * made: for what is written at the end of long work. A disk that is full does not show. Rejects
 * with `no-folder`, otherwise as access(2) does.
 */
export async function requireFolder(path: string): Promise<void> {
  let folder = resolve(path)
  while (!(await exists(folder))) folder = dirname(folder)
  if (!(await isFolder(folder))) throw noFolder(resolve(path), undefined, `"${folder}" is none`)
  await access(folder, constants.W_OK | constants.X_OK)
}

/** The error of a folder whose like cannot be made in the one above, though that is there. */
export function noFolder(
  path: string,
  cause: unknown,
  reason = 'none can be made there',
): FixpointError {
  return new FixpointError('no-folder', `Cannot make folder "${path}": ${reason}`, { cause })
}

/** True when a folder, or a link to one, lies at `path`. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

/**
 * True when a regular file or a disk, or a link to one, lies at `path`: what may hold an image, and
 * keeps no reader waiting.
 */
export async function isFileOrDisk(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true || found?.isBlockDevice() === true
}

/** Makes durable what was written to a file, or was made or renamed in a folder. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Makes durable all that was written to the file system of a folder. By sync(1), since Node has no
 * syncfs(2). Fails with `not-flushed`.
 */
export async function flushFileSystem(folder: string): Promise<void> {
  try {
    await run('sync', ['-f', '--', folder])
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
    throw new FixpointError(
      'not-flushed',
      `Cannot write "${folder}" to its disk: ${said === '' ? String(cause) : said}`,
      { cause },
    )
  }
}

/** Turns a full disk into an error that says so and where; hands every other error on. */
export function explainDiskFull(error: unknown, where: string): unknown {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '') ? diskFull(where, error) : error
}

/** The error of a full disk. */
export function diskFull(where: string, cause?: unknown): FixpointError {
  return new FixpointError('disk-full', `Cannot write below "${where}": the disk is full`, {
    cause,
  })
}
