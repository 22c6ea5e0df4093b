import type { Digest } from '../base/digest.ts'
import type { FileSource } from '../metadata/model.ts'
import type { Blobs, Sources } from '../store/rooms.ts'

/** What fetching needs of a store. Every file is hashed on its way in, so it comes by `commit`. */
export interface FetchStore {
  readonly blobs: Pick<Blobs, 'has' | 'commit'>
  readonly sources: Sources
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

/** A file that no recipe names yet. */
export interface NewSource {
  readonly name: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}

/** Brings files that no recipe names yet. */
export interface NewSources {
  /**
   * Brings what a place has into the store, whatever its digest is. Rejects as
   * {@link Fetcher.fetch} does.
   */
  fetchNew(place: string, signal: AbortSignal): Promise<NewSource>
}

/** Limits of one download. Times are milliseconds. */
export interface Limits {
  /** Until a connection stands. */
  readonly connectMs: number
  /** Without a byte from the server, once connected. */
  readonly idleMs: number
  /** At least `bytes` come within each `ms`: a server that drips is given up. */
  readonly pace: { readonly bytes: number; readonly ms: number }
  /**
   * The longest that a whole file of known size may take: `ms`, and the time that it takes at
   * `bytesPerSecond`. Undefined: as long as it goes on.
   */
  readonly whole?: { readonly ms: number; readonly bytesPerSecond: number }
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
