import { mkdir, rename, rm } from 'node:fs/promises'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode, exists, explainDiskFull } from '../../base/files.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { compareTree, describeFault } from '../artifact/check-tree.ts'
import { formatListing, type Listing } from '../artifact/listing.ts'
import type { Packed } from '../artifact/pack.ts'
import type { Unpacked } from '../artifact/unpack.ts'
import type { Blobs, Trees, UnpackedArtifact } from '../rooms.ts'
import type { ReportDamage } from './damage.ts'
import { noteFreshTree } from './fresh-trees.ts'
import { listingPath, treePath } from './layout.ts'
import { readListing } from './read-listing.ts'
import type { Session } from './session.ts'

/** Unpacked artifacts as `trees/DIGEST`, each beside its listing in `trees/DIGEST.json`. */
export class LocalTrees implements Trees {
  readonly #root: string
  readonly #session: Session
  readonly #report: ReportDamage
  readonly #blobs: Blobs
  readonly #unpacked = new Map<Digest, Promise<UnpackedArtifact>>()

  constructor(root: string, session: Session, report: ReportDamage, blobs: Blobs) {
    this.#root = root
    this.#session = session
    this.#report = report
    this.#blobs = blobs
  }

  async pack(folder: string, signal?: AbortSignal): Promise<Packed> {
    const path = await this.#session.temporaryPath('pack')
    try {
      const { packTree } = await import('../artifact/pack.ts')
      const packed = await packTree(folder, path, signal)
      await this.#blobs.commit(path, packed.digest)
      await this.#writeListing(packed.digest, packed.listing)
      return packed
    } catch (error) {
      await rm(path, { force: true })
      throw explainDiskFull(error, this.#root)
    }
  }

  unpack(digest: Digest, signal?: AbortSignal): Promise<UnpackedArtifact> {
    let artifact = this.#unpacked.get(digest)
    if (artifact === undefined) {
      artifact = this.#makeSure(digest, signal)
      this.#unpacked.set(digest, artifact)
      artifact.catch(() => this.#unpacked.delete(digest))
    }
    return artifact
  }

  async listing(digest: Digest, signal?: AbortSignal): Promise<Listing> {
    return this.knownListing(digest) ?? (await this.#readBlob(digest, undefined, signal))
  }

  knownListing(digest: Digest): Listing | undefined {
    return readListing(this.#root, digest) // a damaged one is made again from the blob
  }

  async #makeSure(digest: Digest, signal: AbortSignal | undefined): Promise<UnpackedArtifact> {
    const folder = treePath(this.#root, digest)
    const found = await this.#look(digest, signal)
    if (found.listing !== undefined) return { folder, listing: found.listing }
    // One engine at a time. The others find its tree, and do not replace one that is in use.
    const lock = await this.#session.lock(`tree-${digest}`, signal)
    try {
      const again = await this.#look(digest, signal)
      if (again.listing !== undefined) return { folder, listing: again.listing }
      if (again.fault !== undefined) this.#report('tree', digest, again.fault)
      return { folder, listing: await this.#unpackBlob(digest, signal) }
    } finally {
      await lock.release()
    }
  }

  /** The listing of an undamaged tree, or what is wrong with it. Neither for a missing tree. */
  async #look(
    digest: Digest,
    signal: AbortSignal | undefined,
  ): Promise<{ listing?: Listing; fault?: string }> {
    const path = treePath(this.#root, digest)
    if (!(await exists(path))) return {}
    const listing = this.knownListing(digest)
    if (listing === undefined) return { fault: 'its listing is damaged' }
    const fault = await compareTree(path, listing, signal)
    return fault === undefined ? { listing } : { fault: describeFault(fault) }
  }

  async #unpackBlob(digest: Digest, signal: AbortSignal | undefined): Promise<Listing> {
    const fresh = await this.#session.temporaryPath('tree')
    await mkdir(fresh)
    try {
      const listing = await this.#readBlob(digest, fresh, signal)
      await noteFreshTree(await this.#session.folder(), digest)
      const path = treePath(this.#root, digest)
      const stale = await this.#session.temporaryPath('stale')
      await rename(path, stale).catch(() => undefined)
      await rename(fresh, path)
      await removeTree(stale)
      return listing
    } catch (error) {
      throw explainDiskFull(error, this.#root)
    } finally {
      await removeTree(fresh)
    }
  }

  /** Unpacks a blob into `target`, if there is one, and notes its listing. Hashes it on the way. */
  async #readBlob(
    digest: Digest,
    target: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Listing> {
    const file = await this.#blobs.uncheckedFile(digest, signal)
    const unpacked = await unpackIfWell(file, target, signal)
    if ('digest' in unpacked && unpacked.digest === digest) {
      await this.#writeListing(digest, unpacked.listing)
      return unpacked.listing
    }
    await this.#blobs.check(digest, signal)
    if ('digest' in unpacked || unpacked.fault === undefined)
      throw new FixpointError(
        'blob-damaged',
        `Cannot use stored blob ${digest}: it changed while it was read`,
      )
    throw new FixpointError(
      'not-an-artifact',
      `Cannot use stored blob ${digest} as an artifact: ${unpacked.fault.message}`,
      {
        facts: { file },
        cause: unpacked.fault,
      },
    )
  }

  async #writeListing(digest: Digest, listing: Listing): Promise<void> {
    const path = listingPath(this.#root, digest)
    await this.#session.write(path, formatListing(digest, listing), 'listing')
  }
}

/** What came out of a blob, or the fault in it. No fault for a blob that is missing. */
async function unpackIfWell(
  file: string,
  target: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Unpacked | { readonly fault: FixpointError | undefined }> {
  try {
    const { unpackArtifact } = await import('../artifact/unpack.ts')
    return await unpackArtifact(file, target, signal)
  } catch (error) {
    if (error instanceof FixpointError) return { fault: error }
    if (errorCode(error) === 'ENOENT') return { fault: undefined }
    throw error
  }
}
