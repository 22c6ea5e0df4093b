import type { Digest } from '../base/digest.ts'
import type { IndexEntry } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import type { Cache } from './cache.ts'
import type { SigningKey } from './keys.ts'
import { formatRecord, parseRecord, recordName, recordOf } from './record.ts'
import { requireSame } from './votes.ts'

/** Where results are written, and as whom. */
export interface Writer {
  readonly cache: Cache
  /** Signs each record; undefined where the transport is trusted. */
  readonly key: SigningKey | undefined
  /** Name and version of this engine. */
  readonly engine: string
}

/** What was sent for one result. */
export interface Pushed {
  /** Bytes of blobs; 0 when the cache had it. */
  readonly bytes: number
  /** False when the cache had its record. */
  readonly isNew: boolean
}

/**
 * Writes a result that was made on this store: first the blob, then its record, so that no record
 * is without its blob. Fails with CacheFault, and with `two-results` when this signer said
 * otherwise before; as {@link Blobs.file} does, too. `isThorough`: bytes that the cache has are
 * compared with their digest where it is in a folder.
 */
export async function pushResult(
  entry: IndexEntry,
  { cache, key, engine }: Writer,
  { blobs }: Pick<Store, 'blobs'>,
  signal: AbortSignal,
  isThorough = false,
): Promise<Pushed> {
  const name = recordName(entry.key, key)
  const file = await cache.record(name, signal)
  const before = file === undefined ? undefined : parseRecord(file, entry.key, key)
  // What cannot be read as ours is replaced.
  const said = before === undefined || 'refused' in before ? undefined : before
  if (said !== undefined) {
    const vote = { signer: key?.name, cache: cache.shown, record: said }
    requireSame(entry.recipe, entry.artifact, [vote])
  }
  const bytes = await pushBlob(entry.artifact, entry.size, cache, { blobs }, signal, isThorough)
  if (said === undefined) {
    const record = recordOf(entry, key?.name ?? 'not signed', engine)
    await cache.putRecord(name, formatRecord(record, key), signal)
  }
  return { bytes, isNew: said === undefined }
}

/** Writes a blob that the cache does not have, or has damaged; resolves to the bytes sent. */
export async function pushBlob(
  digest: Digest,
  size: number,
  cache: Cache,
  { blobs }: Pick<Store, 'blobs'>,
  signal: AbortSignal,
  isThorough: boolean,
): Promise<number> {
  const isThere = isThorough
    ? await cache.hasSoundBlob(digest, size, signal)
    : await cache.hasBlob(digest, size, signal)
  if (isThere) return 0
  await cache.putBlob(digest, await blobs.file(digest, signal), size, signal)
  return size
}
