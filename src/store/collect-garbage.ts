import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { removeTree } from '../base/remove-tree.ts'
import { contentsOf } from './local/contents.ts'
import { blobPath, listingPath, treePath } from './local/layout.ts'
import { lockFile } from './local/lock.ts'
import { sweep } from './local/session-folder.ts'
import { forgetSources } from './local/source-names.ts'
import type { Store } from './store.ts'

/** What a collection removed. */
export interface Collected {
  readonly blobs: number
  readonly trees: number
  /** Of the removed blobs. */
  readonly bytes: number
}

/**
 * Removes every blob and every tree that is not in `keep`, and what earlier runs set aside or
 * left. Takes the store for itself: fails with `store-busy` while a build uses it. With `dryRun`
 * only counts.
 */
export async function collectGarbage(
  { root }: Store,
  keep: ReadonlySet<Digest>,
  dryRun: boolean,
): Promise<Collected> {
  const lock = await lockFile(join(root, 'locks', 'store'), { tryOnly: true })
  if (lock === undefined) {
    throw new FixpointError(
      'store-busy',
      `Cannot collect garbage in "${root}": a build is using it`,
    )
  }
  try {
    const contents = await contentsOf(root)
    const [blobs = [], trees = [], listings = []] = [
      contents.blobs,
      contents.trees,
      contents.listings,
    ].map((digests) => digests.filter((digest) => !keep.has(digest)))
    let bytes = 0
    for (const digest of blobs) bytes += (await lstat(blobPath(root, digest))).size
    if (!dryRun) {
      await removeAll([
        ...blobs.map((digest) => blobPath(root, digest)),
        ...trees.map((digest) => treePath(root, digest)),
        ...listings.map((digest) => listingPath(root, digest)),
      ])
      await forgetSources(root, keep)
      await removeLeftovers(root)
    }
    return { blobs: blobs.length, trees: trees.length, bytes }
  } finally {
    await lock.release()
  }
}

async function removeLeftovers(root: string): Promise<void> {
  await sweep(root)
  for (const folder of ['kept', 'damaged', 'partial'])
    await removeAll(await pathsIn(join(root, folder)))
  // Locks of actions and trees. Whoever takes one shares the store's lock, so nobody holds any.
  const locks = await pathsIn(join(root, 'locks'))
  await removeAll(locks.filter((path) => isDigest(path.slice(-64))))
}

async function pathsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).map((name) => join(folder, name))
}

async function removeAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeTree(path)
}
