import type { Digest } from '../base/digest.ts'
import type { FileSource } from '../metadata/model.ts'

/**
 * What fetching needs of the store: blobs named by their SHA-256, and a place for unfinished
 * downloads.
 */
export interface FetchStore {
  /** True when a blob of that digest is there. */
  has(digest: Digest): boolean
  /**
   * Absolute path for a partial download; the same in each run, and kept when a run is killed.
   * Neighbours `.json`, `.lock`, `.local` are used too.
   */
  stagingPath(digest: Digest): Promise<string>
  /** Moves a finished file in as a blob, after hashing it. Rejects when its digest differs. */
  adopt(path: string, digest: Digest): Promise<void>
  /** Names under which a source's digest was found right; none when that is not known. */
  notedNames(digest: Digest): readonly string[]
  /** Notes more of them; where that is impossible, nothing happens. */
  noteNames(digest: Digest, names: readonly string[]): void
}

/** Makes sure that sources are in the store. */
export interface Fetcher {
  /**
   * Resolves once the source is in the store as a blob named by its SHA-256, and that digest was
   * found right under a name that the recipe gives it; of a stored one that is known by other
   * names, a place is asked again. Rejects with FixpointError: `source-digest`,
   * `source-unavailable`, `source-offline`, `source-renamed` (kind fetch), `disk-full`,
   * `staging-unwritable` (kind hostUnfit) or `interrupted` when `signal` aborts.
   */
  fetch(source: FileSource, signal?: AbortSignal): Promise<void>
}

/** Limits of one download. Times are milliseconds. */
export interface Limits {
  /** Until a connection stands. */
  readonly connectMs: number
  /** Without a byte from the server, once connected. */
  readonly idleMs: number
  /** At least `bytes` come within each `ms`: a server that drips is given up. */
  readonly pace: { readonly bytes: number; readonly ms: number }
  /** Redirects followed for one request. */
  readonly redirects: number
  /** Of a whole file: a body without an end must not fill the disk. */
  readonly bytes: number
  /** Waits before the second, third, … attempt; after the last the place has failed. */
  readonly delays: readonly number[]
}

/**
 * Limits that suit a slow mirror: about a quarter of a minute of waiting before a place is given
 * up. The slowest modem brings 1 KiB a second, and no source that we know has a fifth of 8 GiB.
 */
export const DEFAULT_LIMITS: Limits = {
  connectMs: 15_000,
  idleMs: 30_000,
  pace: { bytes: 60 << 10, ms: 60_000 },
  redirects: 5,
  bytes: 8 * 2 ** 30,
  delays: [1_000, 3_000, 9_000],
}

/**
 * What the host knows about where packages come from; asked only when a source needs it and
 * configuration is silent.
 */
export interface HostPlaces {
  /** Base addresses of Debian archives, in order. */
  aptBases(): Promise<readonly string[]>
  /** Address of the npm registry. */
  npmRegistry(): Promise<string>
  /** Certificates (PEM) that npm trusts beside the usual ones. */
  npmCertificates(): Promise<readonly string[]>
}
