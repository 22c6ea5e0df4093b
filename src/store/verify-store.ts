import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { exists } from '../base/files.ts'
import { compareTree, describeFault } from './artifact/check-tree.ts'
import { isSameListing, type Listing } from './artifact/listing.ts'
import { unpackArtifact } from './artifact/unpack.ts'
import { blobFault } from './local/blobs.ts'
import { contentsOf } from './local/contents.ts'
import { blobPath, treePath } from './local/layout.ts'
import type { Store } from './store.ts'

/** A fault that a check of the whole store found. */
export interface StoreFault {
  readonly what: 'blob' | 'tree'
  readonly digest: Digest
  readonly reason: string
}

/**
 * Reads every blob and every tree of the store and compares them with their names. Compares each
 * listing with its blob, where the store has both. Changes nothing.
 */
export async function verifyStore(store: Store, signal?: AbortSignal): Promise<StoreFault[]> {
  const { root } = store
  const contents = await contentsOf(root)
  const faults: StoreFault[] = []
  for (const digest of contents.blobs) {
    const reason = await blobFault(blobPath(root, digest), digest, signal)
    if (reason !== undefined) faults.push({ what: 'blob', digest, reason })
  }
  const trees = new Set(contents.trees)
  const damaged = new Set(faults.map(({ digest }) => digest))
  for (const digest of new Set([...trees, ...contents.listings])) {
    const listing = store.trees.knownListing(digest)
    const reason =
      listing === undefined
        ? 'its listing is damaged'
        : ((trees.has(digest) ? await treeFault(root, digest, listing, signal) : undefined) ??
          (damaged.has(digest) ? undefined : await listingFault(root, digest, listing, signal)))
    if (reason !== undefined) faults.push({ what: 'tree', digest, reason })
  }
  return faults
}

async function treeFault(
  root: string,
  digest: Digest,
  listing: Listing,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const fault = await compareTree(treePath(root, digest), listing, signal)
  return fault && describeFault(fault)
}

/** A listing states its own digest only, so someone may have made it up together with the tree. */
async function listingFault(
  root: string,
  digest: Digest,
  listing: Listing,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const blob = blobPath(root, digest)
  if (!(await exists(blob))) return undefined
  try {
    const packed = await unpackArtifact(blob, undefined, signal)
    return isSameListing(packed.listing, listing)
      ? undefined
      : 'its listing is not that of its blob'
  } catch (error) {
    if (!(error instanceof FixpointError)) throw error
    return `its blob is no artifact: ${error.message}`
  }
}
