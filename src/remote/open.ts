import type { EventSink } from '../base/events.ts'
import { isAddress } from '../fetch/addresses.ts'
import type { Receiving } from '../fetch/arrive.ts'
import type { Limits } from '../fetch/ports.ts'
import { sleep } from '../fetch/sleep.ts'
import type { Store } from '../store/store.ts'
import type { Cache } from './cache.ts'
import { FolderCache } from './folder-cache.ts'
import { HttpCache } from './http-cache.ts'
import { readIdentity } from './identity.ts'
import { readKey, type Signer } from './keys.ts'
import type { Writer } from './push.ts'
import { readToken } from './secret-file.ts'
import { SharedCaches, type Readers } from './shared-caches.ts'
import { Sharing } from './sharing.ts'
import { WatchedCache } from './watched-cache.ts'

/** What the configuration says of caches. */
export interface CacheSettings {
  /** Addresses and absolute folders, in the order they are asked. */
  readonly read: readonly string[]
  /** Who may vouch for results; none: whoever can write to the caches is trusted. */
  readonly signers: readonly Signer[]
  /** How many of them must. */
  readonly need: number
  /** Address or absolute folder that results are written to. */
  readonly write: string | undefined
  /** Key file of the signer who writes; undefined: records are not signed. */
  readonly key: string | undefined
  /** File with a bearer token for the servers. RFC 6750. */
  readonly token: string | undefined
  /** PEM file with the certificate that servers know this client by, and its key. */
  readonly certificate: string | undefined
}

/** What caches work with, beside their settings. */
export interface CacheContext {
  readonly store: Store
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** Name and version of this engine. */
  readonly engine: string
  /** Only folders are asked. */
  readonly offline: boolean
  /** What becomes of what a cache does not deliver; a part of warnings. */
  readonly outcome: string | undefined
  /** Those that tests change. */
  readonly limits?: Partial<Limits>
}

/**
 * Limits of a cache: what it does not deliver soon can be built. A server that does not answer is
 * given up after half a minute.
 */
const LIMITS: Limits = {
  connectMs: 3_000,
  idleMs: 10_000,
  pace: { bytes: 60 << 10, ms: 60_000 },
  whole: { ms: 60_000, bytesPerSecond: 64 << 10 },
  redirects: 5,
  bytes: 64 * 2 ** 30,
  delays: [500, 1_000],
}

/** The longest that a cache may make a build wait before it is asked again, milliseconds. */
const LONGEST_WAIT_MS = 5_000

/** Caches that are open: those that a build reads, and the one that it writes. */
export interface OpenCaches {
  readonly readers: Readers
  readonly writer: Writer | undefined
  readonly receiving: Receiving
}

/**
 * Opens what the settings name; asks no server. Fails with `cache-key`, `cache-token` or
 * `cache-certificate`.
 */
export async function openCaches(
  settings: CacheSettings,
  context: CacheContext,
): Promise<OpenCaches> {
  const { emit, now, engine, outcome } = context
  const limits = { ...LIMITS, ...context.limits }
  const token =
    settings.token === undefined ? undefined : await readToken(settings.token, 'cache-token')
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const { certificate } = settings
  const identity = certificate === undefined ? undefined : await readIdentity(certificate)
  const http = { headers, identity, limits, sleep, longestWaitMs: LONGEST_WAIT_MS }
  const open = (place: string): Cache =>
    isAddress(place) ? new HttpCache(place, http) : new FolderCache(place)
  const isAsked = (place: string): boolean => !context.offline || !isAddress(place)
  const caches = settings.read
    .filter(isAsked)
    .map((place) => new WatchedCache(open(place), { emit, now, outcome }))
  const { signers, need } = settings
  const write = settings.write !== undefined && isAsked(settings.write) ? settings.write : undefined
  const key = settings.key === undefined ? undefined : await readKey(settings.key)
  return {
    readers: { caches, signers: signers.length > 0 ? signers : [undefined], need },
    writer: write === undefined ? undefined : { cache: open(write), key, engine },
    receiving: {
      emit,
      now,
      limits,
      sleep: (ms, signal) => sleep(Math.min(ms, LONGEST_WAIT_MS), signal),
    },
  }
}

/** What the caches have, for a build. */
export function shareBy({ readers, writer, receiving }: OpenCaches, store: Store): SharedCaches {
  const { emit, now } = receiving
  const sharing = writer === undefined ? undefined : new Sharing(writer, store, emit, now)
  return new SharedCaches(readers, sharing, store, receiving)
}
