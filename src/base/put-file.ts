import { closeSync, constants, mkdirSync, renameSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { beneath, Folder } from './beneath.ts'
import { FixpointError } from './error.ts'
import { errorCode, explainDiskFull } from './files.ts'
import { replaceFile } from './replace-file.ts'
import { systemReason } from './system-error.ts'

/** Copies a file from below one root to below another; no link below either is followed. */
export async function copyBeneath(
  fromRoot: string,
  from: string,
  toRoot: string,
  to: string,
): Promise<void> {
  const fd = beneath(fromRoot, from, (folder, name) => folder.read(name))
  try {
    await putFile(toRoot, to, (part) =>
      copyFile(`/proc/self/fd/${String(fd)}`, part, constants.COPYFILE_EXCL),
    )
  } finally {
    closeSync(fd)
  }
}

/** Moves a file from below one root to the same path below another, on one file system. */
export async function moveBeneath(fromRoot: string, path: string, toRoot: string): Promise<void> {
  await putFile(toRoot, path, (part) => {
    beneath(fromRoot, path, (folder, name) => renameSync(folder.at(name), part))
    return Promise.resolve()
  })
}

/**
 * Puts a file at `path` below `root`, whole or not at all: `write` makes it under another name,
 * then it is renamed. A link in its place is replaced. `part` names the other one, where several
 * may write the same file at once. Fails with `disk-full` or `host-refuses`.
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
    const inTheWay = ['EISDIR', 'ERR_FS_EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(
      errorCode(error) ?? '',
    )
    const reason = inTheWay ? 'a folder is in the way' : systemReason(error)
    if (reason === undefined) throw explainDiskFull(error, folder.shown)
    throw new FixpointError('host-refuses', `Cannot write "${folder.shown}/${name}": ${reason}`, {
      cause: error,
    })
  } finally {
    folder.close()
  }
}

/** Opens a folder below `root`, and makes what is missing of it; the caller closes it. */
export function folderBelow(root: string, parts: readonly string[]): Folder {
  let folder = Folder.open(root)
  for (const part of parts) {
    const parent = folder
    try {
      if (parent.stat(part) === undefined) mkdirSync(parent.at(part))
      folder = parent.folder(part)
    } finally {
      parent.close()
    }
  }
  return folder
}
