import type { Digest } from '../base/digest.ts'
import type { Signer } from './keys.ts'
import { parseRecord, recordName } from './record.ts'
import type { Vote } from './votes.ts'
import type { WatchedCache } from './watched-cache.ts'

/**
 * What each of the signers says of an action, where a cache has it. `undefined` as a signer is one
 * who is not named: the transport is trusted.
 */
export async function askSigners(
  key: Digest,
  signers: readonly (Signer | undefined)[],
  caches: readonly WatchedCache[],
  signal: AbortSignal,
): Promise<Vote[]> {
  const votes = await Promise.all(signers.map((signer) => askOne(key, signer, caches, signal)))
  return votes.filter((vote) => vote !== undefined)
}

async function askOne(
  key: Digest,
  signer: Signer | undefined,
  caches: readonly WatchedCache[],
  signal: AbortSignal,
): Promise<Vote | undefined> {
  for (const watched of caches) {
    const name = recordName(key, signer)
    const file = await watched.try(signal, (cache, own) => cache.record(name, own))
    if (file === undefined) continue
    const record = parseRecord(file, key, signer)
    if (!('refused' in record)) return { signer: signer?.name, cache: watched.cache.shown, record }
    watched.fault('refused', `record ${name} is ${record.refused}`)
  }
  return undefined
}
