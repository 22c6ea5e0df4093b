import { digestOf, type Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Graph } from '../plan/graph.ts'
import { plan, type Known, type Plan } from '../plan/plan.ts'
import type { Store } from './store.ts'

/**
 * The name of an action in the index: its key. For actions that see the host, a digest of the key
 * and the host's fingerprint.
 */
export type IndexNamer = (key: Digest, host: boolean) => Digest

/** Calls `fingerprint` once, for the first action that sees the host. */
export function indexNamer(fingerprint: () => Digest): IndexNamer {
  let known: Digest | undefined
  return (key, host) => (host ? digestOf(`${key} ${(known ??= fingerprint())}`) : key)
}

/** A store, and how actions are named in its index. */
export interface PlanView {
  readonly store: Store
  readonly indexName: IndexNamer
}

/** What the planner asks of a store. Reads index entries and looks for blobs, but reads none. */
export function storeAsKnown({
  store,
  indexName,
}: {
  readonly store: Pick<Store, 'index' | 'blobs'>
  readonly indexName: IndexNamer
}): Known {
  return {
    artifactOf: (key, host) => store.index.artifactOf(indexName(key, host)),
    has: (artifact) => store.blobs.has(artifact),
  }
}

/** Plans what is missing in a store so that `targets` are there. */
export function planOn(view: PlanView, graph: Graph, targets: readonly RecipeId[]): Plan {
  return plan(graph, targets, storeAsKnown(view))
}
