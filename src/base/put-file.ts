import { closeSync, constants, mkdirSync, renameSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { beneath, Folder } from './beneath.ts'
import { FixpointError } from './error.ts'
import { errorCode, explainDiskFull } from './files.ts'
import { partName } from './part-name.ts'
import { replaceFile } from './replace-file.ts'
import { systemReason } from './system-error.ts'

/**
 * Copies a file from below one root to below another; no link below either is followed. `part`
 * names the unfinished copy. By default that of a killed run is replaced, so two at once need names
 * of their own.
 */
export async function copyBeneath(
  fromRoot: string,
  from: string,
  toRoot: string,
  to: string,
  part = partName(to),
): Promise<void> {
  const fd = beneath(fromRoot, from, (folder, name) => folder.read(name))
  try {
    const copy = (path: string): Promise<void> =>
      copyFile(`/proc/self/fd/${String(fd)}`, path, constants.COPYFILE_EXCL)
    await putFile(toRoot, to, copy, part)
  } finally {
    closeSync(fd)
  }
}

/** Moves a file from below one root to the same path below another, on one file system. */
export async function moveBeneath(fromRoot: string, path: string, toRoot: string): Promise<void> {
  const move = (part: string): Promise<void> => {
    beneath(fromRoot, path, (folder, name) => renameSync(folder.at(name), part))
    return Promise.resolve()
  }
  await putFile(toRoot, path, move, partName(path))
}

/**
 * Puts a file at `path` below `root`, whole or not at all: `write` makes it under another name,
 * then it is renamed. A link in its place is replaced. `part` is that other name, see
 * {@link replaceFile}. Fails with `output-in-the-way`, `disk-full` or `host-refuses`.
 */
export async function putFile(
  root: string,
  path: string,
  write: (part: string) => Promise<void>,
  part?: string,
): Promise<void> {
  const parts = path.split('/')
  const name = parts.pop() ?? ''
  const folder = folderBelow(root, parts)
  try {
    await replaceFile(folder, name, write, part)
  } catch (error) {
    if (isRefusedIn(folder, error))
      throw refused(folder, name, 'its folder is gone, or takes no file', error)
    const inTheWay = ['EISDIR', 'ERR_FS_EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(
      errorCode(error) ?? '',
    )
    const reason = inTheWay ? 'a folder is in the way' : systemReason(error)
    if (reason === undefined) throw explainDiskFull(error, folder.shown)
    throw refused(folder, name, reason, error)
  } finally {
    folder.close()
  }
}

/** Whether nothing could be made in a folder that is open: it was removed, or is one like /proc. */
function isRefusedIn(folder: Folder, error: unknown): boolean {
  if (errorCode(error) !== 'ENOENT' || !(error instanceof Error)) return false
  const paths: unknown[] = [Reflect.get(error, 'path'), Reflect.get(error, 'dest')]
  return paths.some((path) => typeof path === 'string' && dirname(path) === dirname(folder.self))
}

function refused(folder: Folder, name: string, reason: string, cause: unknown): FixpointError {
  return new FixpointError('host-refuses', `Cannot write "${folder.shown}/${name}": ${reason}`, {
    cause,
  })
}

/** Opens a folder below `root`, and makes what is missing of it; the caller closes it. */
export function folderBelow(root: string, parts: readonly string[]): Folder {
  let folder = Folder.open(root)
  for (const part of parts) {
    const parent = folder
    try {
      if (parent.stat(part) === undefined) makeUnlessThere(parent.at(part))
      folder = parent.folder(part)
    } finally {
      parent.close()
    }
  }
  return folder
}

/** Another run may make the same folder at the same time. */
function makeUnlessThere(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
}
