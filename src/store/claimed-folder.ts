import { lstat, mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { errorCode, ifThere, makeFolder, syncPath } from '../base/files.ts'
import { removeTree } from '../base/remove-tree.ts'
import { readRegular } from '../base/regular.ts'
import { takeLock, type Lock } from './local/lock.ts'

/** The file that marks a folder as the engine's own, and says what it is for. */
const MARK = 'FIXPOINT-FOLDER'

/** Bytes. A mark is a digest or a word. */
const LONGEST_MARK = 4096

/**
 * Makes sure that the engine may change and remove what is in `folder`. The folder is empty or has
 * a mark of {@link markFolder}; a missing one is made. Resolves with the mark, if there is one.
 * Fails with `not-own-folder` for all other folders, and for those of another user.
 */
export async function claimFolder(folder: string): Promise<string | undefined> {
  await makeFolder(dirname(folder))
  await mkdir(folder).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
  })
  const found = await lstat(folder)
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw notOwn(folder, "it is not a folder of this user's")
  }
  const mark = await ifThere(readRegular(join(folder, MARK), LONGEST_MARK, 'refuse'))
  if (mark === undefined && (await readdir(folder)).length > 0) {
    throw notOwn(folder, 'it holds things that are not of such a build')
  }
  return mark
}

/** Marks a folder as the engine's own, for good. */
export async function markFolder(folder: string, mark: string): Promise<void> {
  await writeFile(join(folder, MARK), mark, { flush: true })
  await syncPath(folder)
}

/** Takes a marked folder for this process alone; undefined when another has it. */
export function lockFolder(folder: string): Promise<Lock | undefined> {
  return takeLock(join(folder, MARK), { tryOnly: true })
}

/**
 * Removes what is in a marked folder, or only `names`. An empty mark stays: if this is interrupted,
 * the rest still counts as the engine's own.
 */
export async function emptyFolder(folder: string, names?: readonly string[]): Promise<void> {
  await markFolder(folder, '')
  for (const name of names ?? (await readdir(folder)))
    if (name !== MARK) await removeTree(join(folder, name))
}

/**
 * Removes a marked folder. With `names` removes only these and the mark, and the folder when it is
 * empty then.
 */
export async function removeFolder(folder: string, names?: readonly string[]): Promise<void> {
  await emptyFolder(folder, names)
  await rm(join(folder, MARK))
  await rmdir(folder).catch((error: unknown) => {
    if (names === undefined || errorCode(error) !== 'ENOTEMPTY') throw error
  })
}

function notOwn(folder: string, why: string): FixpointError {
  return new FixpointError('not-own-folder', `Cannot build in "${folder}": ${why}`)
}
