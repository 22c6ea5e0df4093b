import { FixpointError } from '../base/error.ts'
import type { FileSource } from '../metadata/model.ts'
import { fetchedSources } from '../metadata/model.ts'
import type { Plan } from '../plan/plan.ts'
import { blobSize } from '../store/blob-size.ts'
import type { IndexEntry } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import { CacheFault } from './cache.ts'
import { pushBlob, pushResult, type Writer } from './push.ts'

/** What was written for a target. */
export interface PushedTarget {
  /** Results that the cache has now. */
  readonly results: number
  /** Those of them that it did not have. */
  readonly added: number
  /** Results that someone else made: who did not build a thing does not vouch for it. */
  readonly others: number
  /** Results that it had without their bytes, or with damaged ones. */
  readonly repaired: number
  /** Bytes of blobs that were sent. */
  readonly bytes: number
}

/**
 * The results of a plan that are in the store, whoever made them. Those of host layers are left
 * out: they are of this host only.
 */
export function storedResults(plan: Plan, store: Store): IndexEntry[] {
  return [...plan.values()].flatMap(({ node, key }) => {
    if (key === undefined || node.recipe.host) return []
    const entry = store.index.find(key)
    return entry === undefined ? [] : [{ ...entry, recipe: node.recipe.id }]
  })
}

/**
 * Writes everything of a plan that was made on this store, and with `withSources` the sources that
 * are here. Fails with `cache-unwritten`, or as {@link pushResult} does.
 */
export async function pushTarget(
  plan: Plan,
  withSources: boolean,
  writer: Writer,
  store: Store,
  signal: AbortSignal,
): Promise<PushedTarget> {
  const all = storedResults(plan, store).filter(({ artifact }) => store.blobs.has(artifact))
  const own = all.filter(({ origin }) => origin === undefined)
  let [added, repaired, bytes] = [0, 0, 0]
  try {
    for (const entry of own) {
      const pushed = await pushResult(entry, writer, store, signal, true)
      if (pushed.isNew) added += 1
      else if (pushed.bytes > 0) repaired += 1
      bytes += pushed.bytes
    }
    for (const source of withSources ? sourcesHere(plan, store) : []) {
      const size = blobSize(store.root, source.sha256)
      bytes += await pushBlob(source.sha256, size, writer.cache, store, signal, true)
    }
  } catch (error) {
    if (!(error instanceof CacheFault)) throw error
    const { shown } = writer.cache
    throw new FixpointError(
      'cache-unwritten',
      `Cannot write to cache "${shown}": ${error.message}`,
      { cause: error },
    )
  }
  return { results: own.length, added, repaired, others: all.length - own.length, bytes }
}

function sourcesHere(plan: Plan, store: Store): FileSource[] {
  const sources = [...plan.values()].flatMap(({ node }) => fetchedSources(node.recipe.sources))
  const unique = new Map(sources.map((source) => [source.sha256, source]))
  return [...unique.values()].filter(({ sha256 }) => store.blobs.has(sha256))
}
