import { execFile, execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, rename, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
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
    if (await exists(dirname(folder)))
      throw new FixpointError(
        'hostUnfit',
        'no-folder',
        `Cannot make folder "${folder}": none can be made there`,
        {
          cause: error,
        },
      )
    await makeFolder(dirname(folder))
    await makeFolder(folder, mode)
  }
}

/** Makes a fifo for this user alone, replacing what lies there. By mkfifo(1): Node cannot. */
export function makeFifo(path: string): void {
  rmSync(path, { force: true })
  execFileSync('mkfifo', ['-m', '600', path])
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

/** True when a folder, not a link to one, lies at `path`. */
async function isOwnFolder(path: string): Promise<boolean> {
  return (await ifThere(lstat(path)))?.isDirectory() === true
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
 * Makes a whole tree durable. By sync(1), which flushes its file system once: a flush of each file
 * would wait for the disk as often as there are files. Fails with `not-flushed`.
 */
export async function syncTree(folder: string): Promise<void> {
  try {
    await run('sync', ['-f', '--', folder])
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
    throw new FixpointError(
      'hostUnfit',
      'not-flushed',
      `Cannot write "${folder}" to its disk: ${said === '' ? String(cause) : said}`,
      { hint: 'Check the disk, and whether it is full', cause },
    )
  }
}

/**
 * Moves the file `from` to `to` on the same file system so that a crash leaves either state: the
 * file is flushed before, the folder after. A folder at `to` is removed. For paths of the engine's
 * own; see {@link replaceFile} for others.
 */
export async function commitFile(from: string, to: string): Promise<void> {
  if (await isOwnFolder(to)) await removeTree(to)
  await syncPath(from)
  await mkdir(dirname(to), { recursive: true })
  await rename(from, to)
  await syncPath(dirname(to))
}

/**
 * Removes a tree, also one with folders that lack the write permission. By rm(1): the tree of a
 * build may have 100,000 files, for which Node takes seven times the processor time.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await run('rm', ['-rf', '--', path])
  } catch {
    if (!(await exists(path))) return
    await makeFoldersWritable(path).catch(() => undefined) // rm says what is in the way
    await run('rm', ['-rf', '--', path])
  }
}

async function makeFoldersWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeFoldersWritable(join(folder, entry.name))
  }
}

/** Turns a full disk into an error that says so and where; hands every other error on. */
export function explainDiskFull(error: unknown, where: string): unknown {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '') ? diskFull(where, error) : error
}

/** The error of a full disk. */
export function diskFull(where: string, cause?: unknown): FixpointError {
  return new FixpointError(
    'hostUnfit',
    'disk-full',
    `Cannot write below "${where}": the disk is full`,
    {
      hint:
        'Free some space there or run `fixpoint store gc`; the next run goes on where this ' +
        'one stopped',
      cause,
    },
  )
}
