import { lstat, mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { errorCode, makeFolder, removeTree, syncFolder } from '../base/files.ts'
import { readRegular } from '../base/regular.ts'

/** The file that says whose a folder is, and what it is for. */
const MARK = 'OF'

/** Bytes; a mark is a digest or a word. */
const LONGEST_MARK = 4096

/**
 * Makes sure that what is in `folder` may be changed and removed: it is missing, and made then, or
 * empty, or was marked by {@link markFolder}. Resolves with its mark, undefined for a new one.
 * Fails with `not-own-folder` where someone else's things are, or another user might have put some.
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
  const mark = await readRegular(join(folder, MARK), LONGEST_MARK, 'refuse').catch(
    (error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error
      return undefined
    },
  )
  if (mark === undefined && (await readdir(folder)).length > 0) {
    throw notOwn(folder, 'it holds things that are not of such a build')
  }
  return mark
}

/** Marks a folder as the engine's own, for good. */
export async function markFolder(folder: string, mark: string): Promise<void> {
  await writeFile(join(folder, MARK), mark, { flush: true })
  await syncFolder(folder)
}

/**
 * Removes what is in a marked folder, or of that only `names`. The mark stays, so that when this is
 * cut off the rest is still known as the engine's own; it no longer says what for.
 */
export async function emptyFolder(folder: string, names?: readonly string[]): Promise<void> {
  await markFolder(folder, '')
  for (const name of names ?? (await readdir(folder)))
    if (name !== MARK) await removeTree(join(folder, name))
}

/**
 * Removes a marked folder, or of what is in it only `names` and the mark: what else is there, and
 * then the folder, is left.
 */
export async function removeFolder(folder: string, names?: readonly string[]): Promise<void> {
  await emptyFolder(folder, names)
  await rm(join(folder, MARK))
  await rmdir(folder).catch((error: unknown) => {
    if (names === undefined || errorCode(error) !== 'ENOTEMPTY') throw error
  })
}

function notOwn(folder: string, why: string): FixpointError {
  return new FixpointError('usage', 'not-own-folder', `Cannot build in "${folder}": ${why}`, {
    hint: 'Move it elsewhere, or name another one where the command has an option for that',
  })
}
