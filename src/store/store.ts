import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readText } from '../base/beneath.ts'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { Event, EventSink } from '../base/events.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode, exists, explainDiskFull, removeTree } from '../base/files.ts'
import { Blobs } from './blobs.ts'
import { compareTree, describeFault } from './check-tree.ts'
import type { Installed } from './installed.ts'
import { commitToStore, layOutStore, NO_FILE, unreadable } from './layout.ts'
import { formatListing, parseListing, type Listing } from './listing.ts'
import { lockFile, type Lock, type LockOptions } from './lock.ts'
import { packTree, type Packed } from './pack.ts'
import { openSession, type Session } from './session.ts'
import { noteNames, notedNames } from './source-names.ts'
import { Index } from './index-entries.ts'
import { unpackArtifact } from './unpack.ts'

/** What a store needs from its owner. */
export interface StoreOptions {
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** What is installed on this machine, when it runs from an image. */
  readonly installed?: Installed | undefined
}

/**
 * The store: `blobs/` holds sources and artifacts by digest and is the truth; `trees/` holds
 * artifacts unpacked, each beside its listing, and may be deleted; `index/` finds an artifact by
 * its key. Everything is written as a temporary file, flushed and renamed.
 */
export class Store {
  readonly root: string
  readonly index: Index
  readonly #options: StoreOptions
  readonly #trees = new Map<Digest, Promise<Listing>>()
  readonly #blobs: Blobs
  #session: Promise<Session> | undefined
  #serial = 0

  private constructor(root: string, options: StoreOptions) {
    this.root = root
    this.#options = options
    this.#blobs = new Blobs(
      root,
      {
        temporaryPath: (label) => this.temporaryPath(label),
        onDamage: (digest, reason) => {
          this.#repaired('blob', digest, reason)
        },
      },
      options.installed,
    )
    this.index = new Index(
      join(root, 'index'),
      (file, reason) => {
        this.#repaired('index', file, reason)
      },
      (label) => this.temporaryPath(label),
    )
  }

  /**
   * Opens the store below `root`, makes it when nothing is there. Fails with `store-layout` for a
   * folder that is something else.
   */
  static async open(root: string, options: StoreOptions): Promise<Store> {
    try {
      await layOutStore(root)
    } catch (error) {
      throw explainDiskFull(error, root)
    }
    return new Store(root, options)
  }

  /** Where the blob `digest` lies, or would lie. */
  blobPath(digest: Digest): string {
    return this.#blobs.path(digest)
  }

  /** True when there is a blob of that name; its bytes are not read. */
  has(digest: Digest): boolean {
    return this.#blobs.has(digest)
  }

  /**
   * Digest of the artifact that the action named `name` made, here or before it was installed.
   * Reads no blob.
   */
  artifactOf(name: Digest): Digest | undefined {
    return this.index.find(name)?.artifact ?? this.#options.installed?.artifactOf(name)
  }

  /** A path for the partial download of `digest`, which outlives the process. */
  async stagingPath(digest: Digest): Promise<string> {
    await this.session() // a collection would take it away
    return join(this.root, 'partial', digest)
  }

  /** This process's session, begun when it first writes. */
  session(): Promise<Session> {
    if (this.#session === undefined) {
      const session = openSession(this.root).catch((error: unknown) => {
        this.#session = undefined
        throw explainDiskFull(error, this.root)
      })
      this.#session = session
    }
    return this.#session
  }

  /** Ends the session, if one was begun, and removes its folder. */
  async close(): Promise<void> {
    const session = await this.#session
    this.#session = undefined
    await session?.close()
  }

  /** A fresh path on the store's file system, below the session's folder. */
  async temporaryPath(label: string): Promise<string> {
    this.#serial += 1
    return join((await this.session()).folder, 'tmp', `${label}.${String(this.#serial)}`)
  }

  /**
   * The log of an action. Fails with `store-unreadable` when something other than a file is in its
   * place.
   */
  async logPath(recipe: RecipeId, key: Digest): Promise<string> {
    const folder = join(this.root, 'logs', recipe.replace('/', '@'))
    await mkdir(folder, { recursive: true })
    const path = join(folder, `${key}.log`)
    await fileTime(path)
    return path
  }

  /** The newest log of a recipe's actions, if there is one. Fails like {@link logPath}. */
  async lastLog(recipe: RecipeId): Promise<string | undefined> {
    const folder = join(this.root, 'logs', recipe.replace('/', '@'))
    const paths = (await readdir(folder).catch(() => [])).map((name) => join(folder, name))
    const dated = await Promise.all(
      paths.map(async (path) => ({ path, time: (await fileTime(path)) ?? 0 })),
    )
    return dated.sort((a, b) => b.time - a.time)[0]?.path
  }

  /** Where the work folder of a recipe's failed action is kept when that is asked for. */
  keptPath(recipe: RecipeId): string {
    return join(this.root, 'kept', recipe.replace('/', '@'))
  }

  /** Moves the file at `path` in as the blob `digest`; see {@link Blobs.adopt}. */
  adopt(path: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    return this.#blobs.adopt(path, digest, signal)
  }

  /** Names under which a source's digest was found right; see {@link notedNames}. */
  notedNames(digest: Digest): readonly string[] {
    return notedNames(this.root, digest)
  }

  /** Notes more of them; see {@link noteNames}. */
  noteNames(digest: Digest, names: readonly string[]): void {
    noteNames(this.root, digest, names)
  }

  /** Makes sure that the blob still has its digest; see {@link Blobs.check}. */
  checkBlob(digest: Digest, signal?: AbortSignal): Promise<void> {
    return this.#blobs.check(digest, signal)
  }

  /** What is wrong with the blob's bytes, if anything; see {@link Blobs.fault}. */
  blobFault(digest: Digest, signal?: AbortSignal): Promise<string | undefined> {
    return this.#blobs.fault(digest, signal)
  }

  /** Packs the tree below `folder` into the store; see {@link packTree} for how it fails. */
  async packTree(folder: string, signal?: AbortSignal): Promise<Packed> {
    const path = await this.temporaryPath('pack')
    try {
      const packed = await packTree(folder, path, signal)
      await this.#blobs.commit(path, packed.digest)
      await this.#writeListing(packed.digest, packed.listing)
      return packed
    } catch (error) {
      await rm(path, { force: true })
      throw explainDiskFull(error, this.root)
    }
  }

  /** Folder of the unpacked artifact `digest`. Valid after {@link tree} resolved. */
  treePath(digest: Digest): string {
    return join(this.root, 'trees', digest)
  }

  /**
   * Makes sure that the artifact is unpacked and undamaged, and resolves to its listing. Each tree
   * is compared with its listing once a session, contents included; a damaged one is made again
   * from its blob, which is hashed as it is read. Those who ask meanwhile share the first one's
   * signal.
   */
  tree(digest: Digest, signal?: AbortSignal): Promise<Listing> {
    let tree = this.#trees.get(digest)
    if (tree === undefined) {
      tree = this.#ensureTree(digest, signal)
      this.#trees.set(digest, tree)
      tree.catch(() => this.#trees.delete(digest))
    }
    return tree
  }

  async #ensureTree(digest: Digest, signal: AbortSignal | undefined): Promise<Listing> {
    const found = await this.#lookAtTree(digest, signal)
    if (found.listing !== undefined) return found.listing
    // One engine at a time: the others find its tree, instead of putting theirs in its place while
    // it is in use.
    const lock = await this.lock(`tree-${digest}`, { signal })
    try {
      const again = await this.#lookAtTree(digest, signal)
      if (again.listing !== undefined) return again.listing
      if (again.fault !== undefined) this.#repaired('tree', digest, again.fault)
      return await this.#unpack(digest, signal)
    } finally {
      await lock?.release()
    }
  }

  /**
   * The listing of a tree that is there and undamaged, or what is wrong with it; neither when it is
   * not there.
   */
  async #lookAtTree(
    digest: Digest,
    signal: AbortSignal | undefined,
  ): Promise<{ listing?: Listing; fault?: string }> {
    const path = this.treePath(digest)
    if (!(await exists(path))) return {}
    const listing = this.knownListing(digest)
    if (listing === undefined) return { fault: 'its listing is damaged' }
    const fault = await compareTree(path, listing, signal)
    return fault === undefined ? { listing } : { fault: describeFault(fault) }
  }

  async #unpack(digest: Digest, signal: AbortSignal | undefined): Promise<Listing> {
    await this.#blobs.provide(digest, signal)
    const fresh = await this.temporaryPath('tree')
    await mkdir(fresh)
    try {
      const listing = await this.#readBlob(digest, fresh, signal)
      const stale = await this.temporaryPath('stale')
      await rename(this.treePath(digest), stale).catch(() => undefined)
      await rename(fresh, this.treePath(digest))
      await removeTree(stale)
      return listing
    } catch (error) {
      throw explainDiskFull(error, this.root)
    } finally {
      await removeTree(fresh)
    }
  }

  /** Entries of a stored artifact, without unpacking it. */
  async listing(digest: Digest, signal?: AbortSignal): Promise<Listing> {
    const known = this.knownListing(digest)
    if (known !== undefined) return known
    await this.#blobs.provide(digest, signal)
    return this.#readBlob(digest, undefined, signal)
  }

  /**
   * Unpacks an artifact's blob into `target`, if there is one, and notes its listing. Fails with
   * `blob-missing`, with `blob-damaged`, or with `not-an-artifact` for a blob whose bytes are right
   * and nothing that was packed here.
   */
  async #readBlob(
    digest: Digest,
    target: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Listing> {
    let cause: unknown
    try {
      const unpacked = await unpackArtifact(this.blobPath(digest), target, signal)
      if (unpacked.digest === digest) {
        await this.#writeListing(digest, unpacked.listing)
        return unpacked.listing
      }
    } catch (error) {
      if (!(error instanceof FixpointError) && errorCode(error) !== 'ENOENT') throw error
      cause = error
    }
    const fault = await this.#blobs.fault(digest, signal)
    if (fault !== undefined) return this.#blobs.reject(digest, fault)
    if (!(cause instanceof FixpointError)) throw cause
    throw new FixpointError(
      'fetch',
      'not-an-artifact',
      `Cannot use stored blob ${digest} as an artifact: ${cause.message}`,
      {
        hint: `If it is no source, remove "${this.blobPath(digest)}" and run again to build it anew`,
        cause,
      },
    )
  }

  /** Entries of an artifact as they were noted, if they were; its blob may be gone. */
  knownListing(digest: Digest): Listing | undefined {
    try {
      return parseListing(digest, readText(this.#listingPath(digest)))
    } catch {
      return undefined // it is made again from the blob
    }
  }

  async #writeListing(digest: Digest, listing: Listing): Promise<void> {
    const path = await this.temporaryPath('listing')
    await writeFile(path, formatListing(digest, listing))
    await commitToStore(path, this.#listingPath(digest))
  }

  #listingPath(digest: Digest): string {
    return `${this.treePath(digest)}.json`
  }

  /** Takes the lock called `name`; see {@link lockFile}. */
  async lock(name: string, options: LockOptions = {}): Promise<Lock | undefined> {
    await this.session() // a collection removes locks that nobody can hold
    return lockFile(join(this.root, 'locks', name), options)
  }

  #repaired(
    what: Extract<Event, { type: 'store-repair' }>['what'],
    name: string,
    reason: string,
  ): void {
    this.#options.emit({ type: 'store-repair', at: this.#options.now(), what, name, reason })
  }
}

/** When a log was written last; undefined when there is none. */
async function fileTime(path: string): Promise<number | undefined> {
  const stat = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error
  })
  if (stat && !stat.isFile()) throw unreadable(path, NO_FILE)
  return stat?.mtimeMs
}
