import { lstat, mkdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ifThere, syncPath } from './files.ts'
import { removeTree } from './remove-tree.ts'

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

/** True when a folder, not a link to one, lies at `path`. */
async function isOwnFolder(path: string): Promise<boolean> {
  return (await ifThere(lstat(path)))?.isDirectory() === true
}
