import { digestOf, type Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Graph } from '../plan/graph.ts'
import { plan, type Known, type Plan } from '../plan/plan.ts'
import type { Store } from './store.ts'

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

/** A store, and how actions are named in its index. */
export interface PlanView {
  readonly store: Store
  readonly nameOf: IndexNamer
}

/** The planner's view of a store. Reads index entries, looks for blobs, reads none. */
export function storeAsKnown({ store, nameOf }: PlanView): Known {
  return {
    artifactOf: (key, host) => store.artifactOf(nameOf(key, host)),
    has: (artifact) => store.has(artifact),
  }
}

/** Plans what is missing in a store so that `targets` are there. */
export function planOn(view: PlanView, graph: Graph, targets: readonly RecipeId[]): Plan {
  return plan(graph, targets, storeAsKnown(view))
}
