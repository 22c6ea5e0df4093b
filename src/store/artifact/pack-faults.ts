import type { Stats } from 'node:fs'
import type { Folder } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'

/** Node reads bytes that are not UTF-8 as U+FFFD: the artifact would have another name. */
export function isMangled(text: string, bytes: Buffer): boolean {
  return !Buffer.from(text).equals(bytes)
}

/** The error of a name or target that an artifact cannot have. */
export function unnameable(path: string, reason: string): FixpointError {
  return new FixpointError('artifact-name', `Cannot pack "${path}": ${reason}`)
}

/** Refuses what only root can read: an artifact must be the same, and usable, for every user. */
export function requireReadable(path: string, mode: number, wanted: number): void {
  if ((mode & wanted) === wanted) return
  throw new FixpointError(
    'artifact-unreadable',
    `Cannot pack "${path}": its mode ${(mode & 0o7777).toString(8)} keeps its owner from ` +
      `reading it`,
  )
}

/** What is known of an entry that was there a moment ago. Fails with `artifact-changed`. */
export function statOf(folder: Folder, name: string, path: string): Stats {
  const stat = folder.stat(name)
  if (stat === undefined) throw changed(path)
  return stat
}

/** Calls `use`, which fails with `artifact-changed` when the entry at `path` is another now. */
export function unchanged<T>(path: string, use: () => T): T {
  try {
    return use()
  } catch (error) {
    const gone =
      errorCode(error) === 'ENOENT' ||
      (error instanceof FixpointError && error.code === 'unsafe-path')
    throw gone ? changed(path, error) : error
  }
}

/** The error of a tree that changes while it is packed. */
export function changed(path: string, cause?: unknown): FixpointError {
  return new FixpointError('artifact-changed', `Cannot pack "${path}": it was changed meanwhile`, {
    cause,
  })
}
