import { lstat, readdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { digestOf } from '../base/digest.ts'
import { ifThere, makeFolder, noFolder } from '../base/files.ts'
import { makeWhole, makeWholeFolder, type Made } from '../base/whole-folder.ts'
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
  return locked(target, context, () => makeWholeFolder(target, write, context.store.root))
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
  return locked(target, context, () => makeWhole(target, write, context.store.root))
}

async function locked<T>(
  target: string,
  { store, signal, check }: NewFolderContext,
  make: () => Promise<T>,
): Promise<T> {
  await makeFolder(dirname(target))
  const lock = await store.session.lock(`folder-${digestOf(target)}`, signal)
  try {
    await check()
    return await make()
  } finally {
    await lock.release()
  }
}

/**
 * Whether nothing, or an empty folder, is at `target`. Fails with `no-folder` for an empty folder
 * that a new one cannot take the place of.
 */
export async function isNothing(target: string): Promise<boolean> {
  const found = await ifThere(lstat(target))
  if (found === undefined) return true
  const entries = await readdir(target).catch(() => ['something'])
  if (entries.length > 0) return false
  if (found.isSymbolicLink()) throw noFolder(target, undefined, 'a link to an empty one is there')
  if (found.dev !== (await lstat(dirname(resolve(target)))).dev)
    throw noFolder(target, undefined, 'a disk is mounted there; name a new folder on it')
  return true
}
