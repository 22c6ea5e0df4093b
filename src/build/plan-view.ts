import { digestOf, type Digest } from '../base/digest.ts'
import type { Known } from '../plan/plan.ts'
import type { Store } from '../store/store.ts'

/**
 * The name an action has in the index: its key; what a host had a hand in is bound to that host's
 * fingerprint too.
 */
export type IndexNamer = (key: Digest, host: boolean) => Digest

/**
 * Names index entries; `fingerprint` is asked for only when something that saw the host is looked
 * up.
 */
export function indexNamer(fingerprint: () => Digest): IndexNamer {
  let known: Digest | undefined
  return (key, host) => (host ? digestOf(`${key} ${(known ??= fingerprint())}`) : key)
}

/** The planner's view of a store. Reads index entries, looks for blobs, reads none. */
export function knownTo(store: Store, name: IndexNamer): Known {
  return {
    artifactOf: (key, host) => store.artifactOf(name(key, host)),
    has: (artifact) => store.has(artifact),
  }
}
