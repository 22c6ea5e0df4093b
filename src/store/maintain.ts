import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { digestOfFile, isDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { removeTree } from '../base/files.ts'
import { compareTree } from './check-tree.ts'
import { takeLock } from './lock.ts'
import { forgetNames } from './source-names.ts'
import type { Store } from './store.ts'

/** A fault that a check of the whole store found. */
export interface StoreFault {
  readonly what: 'blob' | 'tree'
  readonly digest: Digest
  readonly reason: string
}

/** Reads every blob and every tree of the store and compares them with their names; changes nothing. */
export async function verifyStore(store: Store): Promise<StoreFault[]> {
  const faults: StoreFault[] = []
  for (const digest of await blobsOf(store)) {
    const actual = await digestOfFile(store.blobPath(digest))
    if (actual !== digest) faults.push({ what: 'blob', digest, reason: `sha256 is ${actual}` })
  }
  for (const digest of await treesOf(store)) {
    const listing = await store.knownListing(digest)
    const fault =
      listing === undefined
        ? { path: '', what: 'its listing is damaged' }
        : await compareTree(store.treePath(digest), listing)
    if (fault !== undefined) faults.push({ what: 'tree', digest, reason: `${fault.path}: ${fault.what}` })
  }
  return faults
}

/** What a collection removed. */
export interface Collected {
  readonly blobs: number
  readonly trees: number
  /** Of the removed blobs. */
  readonly bytes: number
}

/**
 * Removes every blob that `keep` does not name, every tree without a blob, and what earlier runs set aside. Takes the store for itself: fails with `store-busy`
 * while a build runs on it. With `dryRun` only counts.
 */
export async function collectGarbage(store: Store, keep: ReadonlySet<Digest>, dryRun: boolean): Promise<Collected> {
  const lock = await takeLock(join(store.root, 'locks', 'store'), { tryOnly: true })
  if (lock === undefined) {
    throw new FixpointError('usage', 'store-busy', `Cannot collect garbage in "${store.root}": a build is using it`, {
      hint: 'Try again when it has ended',
    })
  }
  try {
    let bytes = 0
    const blobs = (await blobsOf(store)).filter((digest) => !keep.has(digest))
    for (const digest of blobs) {
      bytes += (await stat(store.blobPath(digest))).size
      if (!dryRun) await rm(store.blobPath(digest))
    }
    const trees = (await treesOf(store)).filter((digest) => !keep.has(digest))
    const listings = (await readdir(join(store.root, 'trees'))).filter(
      (name) => name.endsWith('.json') && !keep.has(name.slice(0, -'.json'.length) as Digest),
    )
    if (!dryRun) {
      for (const name of [...trees, ...listings]) await removeTree(join(store.root, 'trees', name))
      await forgetNames(store.root, keep)
      for (const folder of ['kept', 'damaged', 'partial'])
        for (const name of await readdir(join(store.root, folder))) await removeTree(join(store.root, folder, name))
      // Of actions and trees: whoever takes one shares the store's lock, so nobody holds any.
      for (const name of await readdir(join(store.root, 'locks')))
        if (isDigest(name.slice(-64))) await rm(join(store.root, 'locks', name))
    }
    return { blobs: blobs.length, trees: trees.length, bytes }
  } finally {
    await lock.release()
  }
}

async function blobsOf(store: Store): Promise<Digest[]> {
  const names = await readdir(join(store.root, 'blobs'), { recursive: true })
  return names.map((name) => basename(name)).filter((name) => isDigest(name))
}

async function treesOf(store: Store): Promise<Digest[]> {
  return (await readdir(join(store.root, 'trees'))).filter((name) => isDigest(name))
}
