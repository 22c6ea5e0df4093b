import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import type { Event, EventSink, RecipeId } from '../base/events.ts'
import { commitFile, exists, explainDiskFull, removeTree } from '../base/files.ts'
import { Blobs } from './blobs.ts'
import { compareTree, type TreeFault } from './check-tree.ts'
import type { Installed } from './installed.ts'
import { layOutStore } from './layout.ts'
import { parseListing, type Listing } from './listing.ts'
import { takeLock, type Lock } from './lock.ts'
import { packTree, type Packed } from './pack.ts'
import { openSession, type Session } from './session.ts'
import { noteNames, notedNames } from './source-names.ts'
import { Index } from './store-index.ts'
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
 * The store: `blobs/` holds sources and artifacts by digest and is the truth; `trees/` holds artifacts unpacked, each beside its listing, and
 * may be deleted; `index/` finds an artifact by its key. Everything is written as a temporary file, flushed and renamed.
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

  /** Opens the store below `root`, makes it when nothing is there. Fails with `store-layout` for a folder that is something else. */
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

  /** Digest of the artifact that the action named `name` made, here or before it was installed. Reads no blob. */
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

  /** The log of an action. */
  async logPath(recipe: RecipeId, key: Digest): Promise<string> {
    const folder = join(this.root, 'logs', recipe.replace('/', '@'))
    await mkdir(folder, { recursive: true })
    return join(folder, `${key}.log`)
  }

  /** The newest log of a recipe's actions, if there is one. */
  async lastLog(recipe: RecipeId): Promise<string | undefined> {
    const folder = join(this.root, 'logs', recipe.replace('/', '@'))
    const names = await readdir(folder).catch(() => [])
    const dated = await Promise.all(
      names.map(async (name) => ({ path: join(folder, name), time: (await stat(join(folder, name))).mtimeMs })),
    )
    return dated.sort((a, b) => b.time - a.time)[0]?.path
  }

  /** Where the work folder of a recipe's failed action is kept when that is asked for. */
  keptPath(recipe: RecipeId): string {
    return join(this.root, 'kept', recipe.replace('/', '@'))
  }

  /** Moves the file at `path` in as the blob `digest`; see {@link Blobs.adopt}. */
  adopt(path: string, digest: Digest): Promise<void> {
    return this.#blobs.adopt(path, digest)
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
  checkBlob(digest: Digest): Promise<void> {
    return this.#blobs.check(digest)
  }

  /** Packs the tree below `folder` into the store. */
  async packTree(folder: string): Promise<Packed> {
    const path = await this.temporaryPath('pack')
    try {
      const packed = await packTree(folder, path)
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
   * Makes sure that the artifact is unpacked and undamaged, and resolves to its listing. Each tree is compared with its listing once a session,
   * contents included; a damaged one is made again from its blob, which is hashed as it is read.
   */
  tree(digest: Digest): Promise<Listing> {
    let tree = this.#trees.get(digest)
    if (tree === undefined) {
      tree = this.#ensureTree(digest)
      this.#trees.set(digest, tree)
      tree.catch(() => this.#trees.delete(digest))
    }
    return tree
  }

  async #ensureTree(digest: Digest): Promise<Listing> {
    const found = await this.#lookAtTree(digest)
    if (found.listing !== undefined) return found.listing
    // One engine at a time: the others find its tree, instead of putting theirs in its place while it is in use.
    const lock = await this.lock(`tree-${digest}`)
    try {
      const again = await this.#lookAtTree(digest)
      if (again.listing !== undefined) return again.listing
      if (again.fault !== undefined) this.#repaired('tree', digest, again.fault)
      return await this.#unpack(digest)
    } finally {
      await lock?.release()
    }
  }

  /** The listing of a tree that is there and undamaged, or what is wrong with it; neither when it is not there. */
  async #lookAtTree(digest: Digest): Promise<{ listing?: Listing; fault?: string }> {
    const path = this.treePath(digest)
    if (!(await exists(path))) return {}
    const listing = await this.#readListing(digest)
    if (listing === undefined) return { fault: 'its listing is damaged' }
    const fault = await compareTree(path, listing)
    return fault === undefined ? { listing } : { fault: describeFault(fault) }
  }

  async #unpack(digest: Digest): Promise<Listing> {
    await this.#blobs.provide(digest)
    const fresh = await this.temporaryPath('tree')
    await mkdir(fresh)
    try {
      const unpacked = await unpackArtifact(this.blobPath(digest), fresh).catch((error: unknown) => error)
      if (!isUnpacked(unpacked) || unpacked.digest !== digest) {
        const actual = await this.#blobs.actual(digest)
        if (actual !== digest) return await this.#blobs.reject(digest, actual)
        throw unpacked
      }
      await this.#writeListing(digest, unpacked.listing)
      const stale = await this.temporaryPath('stale')
      await rename(this.treePath(digest), stale).catch(() => undefined)
      await rename(fresh, this.treePath(digest))
      await removeTree(stale)
      return unpacked.listing
    } catch (error) {
      throw explainDiskFull(error, this.root)
    } finally {
      await removeTree(fresh)
    }
  }

  /** Entries of a stored artifact, without unpacking it. */
  async listing(digest: Digest): Promise<Listing> {
    const stored = await this.#readListing(digest)
    if (stored !== undefined) return stored
    await this.#blobs.provide(digest)
    const { digest: actual, listing } = await unpackArtifact(this.blobPath(digest), undefined)
    if (actual !== digest) return this.#blobs.reject(digest, actual)
    await this.#writeListing(digest, listing)
    return listing
  }

  /** Entries of an artifact as they were noted, if they were; its blob may be gone. */
  knownListing(digest: Digest): Promise<Listing | undefined> {
    return this.#readListing(digest)
  }

  async #readListing(digest: Digest): Promise<Listing | undefined> {
    // Missing or damaged: it is made again from the blob.
    const text = await readFile(`${this.treePath(digest)}.json`, 'utf8').catch(() => undefined)
    return text === undefined ? undefined : parseListing(text)
  }

  async #writeListing(digest: Digest, listing: Listing): Promise<void> {
    const path = await this.temporaryPath('listing')
    await writeFile(path, JSON.stringify(listing))
    await commitFile(path, `${this.treePath(digest)}.json`)
  }

  /** Takes the lock called `name`; see {@link takeLock}. */
  async lock(
    name: string,
    options: { shared?: boolean; tryOnly?: boolean; signal?: AbortSignal | undefined } = {},
  ): Promise<Lock | undefined> {
    await this.session() // a collection removes locks that nobody can hold
    const path = join(this.root, 'locks', name)
    await (await open(path, 'a')).close()
    return takeLock(path, options)
  }

  #repaired(what: Extract<Event, { type: 'store-repair' }>['what'], name: string, reason: string): void {
    this.#options.emit({ type: 'store-repair', at: this.#options.now(), what, name, reason })
  }
}

function isUnpacked(value: unknown): value is { digest: Digest; listing: Listing } {
  return typeof value === 'object' && value !== null && 'digest' in value
}

function describeFault(fault: TreeFault): string {
  return `${fault.path}: ${fault.what}`
}
