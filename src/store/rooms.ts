import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Listing } from './artifact/listing.ts'
import type { Packed } from './artifact/pack.ts'
import type { Lock } from './local/lock.ts'

/*
 * The rooms of a store. Each is an interface, so that a remote room can stand beside the local one.
 * The planner asks some things once for every recipe: those calls answer at once, and a remote room
 * collects its answers before. Every call that moves bytes is a promise.
 */

/** Sources and artifacts. The SHA-256 of its bytes names each of them. */
export interface Blobs {
  /** True when the blob is there. Reads no bytes. */
  has(digest: Digest): boolean
  /**
   * Path of the blob's file, for reading only. Compares its bytes with the digest, once a session.
   * Fails like {@link check}. Callers who ask meanwhile share the first one's signal.
   */
  file(digest: Digest, signal?: AbortSignal): Promise<string>
  /**
   * Path of the blob's file, for readers that hash what they read. They call {@link check} when the
   * digest is another. The file may be missing.
   */
  uncheckedFile(digest: Digest, signal?: AbortSignal): Promise<string>
  /**
   * Reads the blob and compares its bytes with the digest. Fails with `blob-damaged`, and then sets
   * the file aside, so that the blob is missing and gets fetched or built again. Fails with
   * `blob-missing`.
   */
  check(digest: Digest, signal?: AbortSignal): Promise<void>
  /**
   * Moves the file at `path` in. Whoever wrote it hashed its bytes on the way; {@link adoptFile}
   * takes files from elsewhere.
   */
  commit(path: string, digest: Digest): Promise<void>
}

/** An artifact as a folder. */
export interface UnpackedArtifact {
  readonly folder: string
  readonly listing: Listing
}

/** Artifacts as folders of files, and the listings of their entries. */
export interface Trees {
  /** Packs the tree below `folder` as a blob. Fails like {@link packTree}. */
  pack(folder: string, signal?: AbortSignal): Promise<Packed>
  /**
   * Makes sure that the artifact is unpacked and undamaged. Compares each tree with its listing,
   * contents included, once a session, and unpacks a damaged one again. Fails like
   * {@link Blobs.check}, or with `not-an-artifact` for a blob that {@link pack} did not make.
   * Callers who ask meanwhile share the first one's signal.
   */
  unpack(digest: Digest, signal?: AbortSignal): Promise<UnpackedArtifact>
  /** Entries of an artifact, which is not unpacked. Fails like {@link unpack}. */
  listing(digest: Digest, signal?: AbortSignal): Promise<Listing>
  /** Entries of an artifact as they were noted. Its blob may be gone. */
  knownListing(digest: Digest): Listing | undefined
}

/** Who made what an engine did not make itself. */
export type Origin = CacheOrigin | RemoteOrigin

/** A result that was found in a cache. */
export interface CacheOrigin {
  /** The cache, as people may read it. */
  readonly cache: string
  /** Names of those who signed for it; none where the transport is trusted. */
  readonly signers: readonly string[]
  readonly builder: string
  readonly engine: string
}

/** A result of an action that this engine had run by another machine. */
export interface RemoteOrigin {
  /** The server that was asked, as people may read it. */
  readonly remote: string
  /** What the server calls the machine that ran it; may be empty. */
  readonly worker: string
}

/** A finished action. */
export interface IndexEntry {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  /** The action document, as it was hashed. */
  readonly document: unknown
  /** Bytes of the artifact's tar. */
  readonly size: number
  readonly durationMs: number
  readonly cpuMs: number
  /** Bytes: the largest sum over the action's processes that was seen. */
  readonly peakMemory: number
  /** Undefined for what ran on this machine. */
  readonly origin?: Origin
}

/** A past action of a recipe. Advises only: the queue's order, `why` and `log` read it. */
export interface HistoryEntry {
  /** Finds the {@link IndexEntry}. */
  readonly name: Digest
  readonly durationMs: number
  /** User and system time of its processes; undefined for one of long ago. */
  readonly cpuMs?: number
  readonly peakMemory: number
}

/**
 * Finds what an action made. {@link IndexNamer} gives an action its name: its key, or for actions
 * that see the host a digest of key and host.
 */
export interface Index {
  /** The entry of an action. Reads no blob. */
  find(name: Digest): IndexEntry | undefined
  /** Digest of the artifact that an action made, here or before it was installed. Reads no blob. */
  artifactOf(name: Digest): Digest | undefined
  /** Records a finished action. */
  record(name: Digest, entry: IndexEntry): Promise<void>
  /** The last actions of a recipe, the oldest first. */
  history(recipe: RecipeId): readonly HistoryEntry[]
  /** Recipes that have a history, of whatever layers, sorted. */
  recipes(): Promise<readonly RecipeId[]>
}

/** What actions leave for people to look at. */
export interface Logs {
  /** Path of an action's log, which may be missing. Fails with `store-unreadable` for no file. */
  path(recipe: RecipeId, key: Digest): Promise<string>
  /** Path of the newest log of a recipe. Fails like {@link path}. */
  newest(recipe: RecipeId): Promise<string | undefined>
  /** Where the work folder of a recipe's failed action is kept when the user asks for that. */
  keptFolder(recipe: RecipeId): string
}

/** What fetching remembers of sources, apart from their blobs. */
export interface Sources {
  /**
   * Path of the unfinished download, the same in each run. Its neighbours `.json` and `.local` are
   * the fetcher's as well.
   */
  partialPath(digest: Digest): Promise<string>
  /** Waits until no other engine brings this source: two would spoil its unfinished download. */
  claim(digest: Digest, signal: AbortSignal): Promise<Lock>
  /** Names under which the digest was found right. None when that is not known. */
  names(digest: Digest): readonly string[]
  /** Notes more of these names. Does nothing where that is impossible. */
  noteNames(digest: Digest, names: readonly string[]): void
  /** What was found out about the source's bytes, under the name and version of a `form`. */
  finding(digest: Digest, form: string): string | undefined
  /** Notes that, in place of what was noted before. Does nothing where that is impossible. */
  noteFinding(digest: Digest, form: string, text: string): Promise<void>
}
