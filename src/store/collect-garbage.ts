import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { removeTree } from '../base/files.ts'
import { compareTree, describeFault } from './check-tree.ts'
import { isSameListing, type Listing } from './listing.ts'
import { lockFile } from './lock.ts'
import { forgetNames } from './source-names.ts'
import type { Store } from './store.ts'
import { unpackArtifact } from './unpack.ts'

/** A fault that a check of the whole store found. */
export interface StoreFault {
  readonly what: 'blob' | 'tree'
  readonly digest: Digest
  readonly reason: string
}

/**
 * Reads every blob and every tree of the store and compares them with their names, and each listing
 * with its blob, where that is there. Changes nothing.
 */
export async function verifyStore(store: Store, signal?: AbortSignal): Promise<StoreFault[]> {
  const faults: StoreFault[] = []
  for (const digest of await blobsOf(store)) {
    const reason = await store.blobFault(digest, signal)
    if (reason !== undefined) faults.push({ what: 'blob', digest, reason })
  }
  const trees = new Set(await treesOf(store))
  const damaged = new Set(faults.map(({ digest }) => digest))
  for (const digest of new Set([...trees, ...(await listingsOf(store))])) {
    const listing = store.knownListing(digest)
    const reason =
      listing === undefined
        ? 'its listing is damaged'
        : ((trees.has(digest) ? await treeFault(store, digest, listing, signal) : undefined) ??
          (damaged.has(digest) ? undefined : await listingFault(store, digest, listing, signal)))
    if (reason !== undefined) faults.push({ what: 'tree', digest, reason })
  }
  return faults
}

async function treeFault(
  store: Store,
  digest: Digest,
  listing: Listing,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const fault = await compareTree(store.treePath(digest), listing, signal)
  return fault && describeFault(fault)
}

/** A listing states its own digest only, so it may have been made up together with the tree. */
async function listingFault(
  store: Store,
  digest: Digest,
  listing: Listing,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!store.has(digest)) return undefined
  try {
    const packed = await unpackArtifact(store.blobPath(digest), undefined, signal)
    return isSameListing(packed.listing, listing)
      ? undefined
      : 'its listing is not that of its blob'
  } catch (error) {
    if (!(error instanceof FixpointError)) throw error
    return `its blob is no artifact: ${error.message}`
  }
}

/** What a collection removed. */
export interface Collected {
  readonly blobs: number
  readonly trees: number
  /** Of the removed blobs. */
  readonly bytes: number
}

/**
 * Removes every blob that `keep` does not name, every tree without a blob, and what earlier runs
 * set aside. Takes the store for itself: fails with `store-busy` while a build runs on it. With
 * `dryRun` only counts.
 */
export async function collectGarbage(
  store: Store,
  keep: ReadonlySet<Digest>,
  dryRun: boolean,
): Promise<Collected> {
  const lock = await lockFile(join(store.root, 'locks', 'store'), { tryOnly: true })
  if (lock === undefined) {
    throw new FixpointError(
      'usage',
      'store-busy',
      `Cannot collect garbage in "${store.root}": a build is using it`,
      {
        hint: 'Try again when it has ended',
      },
    )
  }
  try {
    let bytes = 0
    const blobs = (await blobsOf(store)).filter((digest) => !keep.has(digest))
    for (const digest of blobs) {
      bytes += (await lstat(store.blobPath(digest))).size
      if (!dryRun) await removeTree(store.blobPath(digest))
    }
    const trees = (await treesOf(store)).filter((digest) => !keep.has(digest))
    const listings = (await listingsOf(store)).filter((digest) => !keep.has(digest))
    if (!dryRun) {
      for (const digest of trees) await removeTree(store.treePath(digest))
      for (const digest of listings) await removeTree(`${store.treePath(digest)}.json`)
      await forgetNames(store.root, keep)
      for (const folder of ['kept', 'damaged', 'partial'])
        for (const name of await readdir(join(store.root, folder)))
          await removeTree(join(store.root, folder, name))
      // Of actions and trees: whoever takes one shares the store's lock, so nobody holds any.
      for (const name of await readdir(join(store.root, 'locks')))
        if (isDigest(name.slice(-64))) await removeTree(join(store.root, 'locks', name))
    }
    return { blobs: blobs.length, trees: trees.length, bytes }
  } finally {
    await lock.release()
  }
}

async function blobsOf(store: Store): Promise<Digest[]> {
  const found: Digest[] = []
  const root = join(store.root, 'blobs')
  // Not readdir's own recursion: a blob may be a folder, or a link to one.
  for (const folder of await readdir(root, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue
    const names = await readdir(join(root, folder.name))
    found.push(
      ...names.filter((name) => isDigest(name)).filter((name) => name.startsWith(folder.name)),
    )
  }
  return found
}

async function treesOf(store: Store): Promise<Digest[]> {
  return (await readdir(join(store.root, 'trees'))).filter((name) => isDigest(name))
}

async function listingsOf(store: Store): Promise<Digest[]> {
  const names = (await readdir(join(store.root, 'trees'))).filter((name) => name.endsWith('.json'))
  return names.map((name) => name.slice(0, -'.json'.length)).filter((name) => isDigest(name))
}
