import { mkdir, readdir, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { digestOf } from '../base/digest.ts'
import { exists, explainDiskFull, makeFolder, syncPath } from '../base/files.ts'
import { removeTree } from '../base/remove-tree.ts'
import type { Store } from './store.ts'

/** What making a folder takes. */
export interface NewFolderContext {
  /** Whose lock keeps others from making the same folder. */
  readonly store: Store
  readonly signal: AbortSignal
  /** Rejects when something is at the target; called before anything is made. */
  readonly check: () => Promise<void>
}

/**
 * Lets `write` fill a folder beside `target`, an absolute path, and renames it: it comes whole or
 * not at all. Folders above it are made. Rejects as `check` and `write` do, and with `disk-full`.
 */
export async function makeNewFolder<T>(
  target: string,
  context: NewFolderContext,
  write: (part: string) => Promise<T>,
): Promise<T> {
  return makeNew(target, context, async (part) => ({ result: await write(part), made: part }))
}

/**
 * Like {@link makeNewFolder}, but the folder is only to work in: what is renamed is the file `made`
 * in it, which `write` has flushed.
 */
export async function makeNewFile<T>(
  target: string,
  context: NewFolderContext,
  write: (work: string) => Promise<Made<T>>,
): Promise<T> {
  return makeNew(target, context, write)
}

/** What was made, and its path. */
interface Made<T> {
  readonly result: T
  readonly made: string
}

async function makeNew<T>(
  target: string,
  { store, signal, check }: NewFolderContext,
  write: (part: string) => Promise<Made<T>>,
): Promise<T> {
  await makeFolder(dirname(target))
  const lock = await store.session.lock(`folder-${digestOf(target)}`, signal)
  try {
    await check()
    const part = join(dirname(target), `.${basename(target)}.part`)
    await removeTree(part) // of a killed run
    await mkdir(part)
    try {
      const { result, made } = await write(part)
      await rename(made, target)
      await syncPath(dirname(target))
      if (made !== part) await removeTree(part)
      return result
    } catch (error) {
      await removeTree(part).catch(() => undefined) // the first error says more
      throw explainDiskFull(error, dirname(target))
    }
  } finally {
    await lock.release()
  }
}

/** Whether nothing, or an empty folder, is at `target`. */
export async function isNothing(target: string): Promise<boolean> {
  if (!(await exists(target))) return true
  const entries = await readdir(target).catch(() => ['something'])
  return entries.length === 0
}
