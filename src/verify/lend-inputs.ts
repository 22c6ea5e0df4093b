import { copyFile } from 'node:fs/promises'
import type { RecipeId } from '../base/recipe-id.ts'
import { nodeOf, usedBy, type Graph } from '../plan/graph.ts'
import type { Plan, Planned } from '../plan/plan.ts'
import { adoptFile } from '../store/adopt-file.ts'
import type { PlanView } from '../store/plan-view.ts'
import type { Store } from '../store/store.ts'

/**
 * Gives another store what `targets` are built from, as if it had been built there: then only they
 * run. It gets an index entry of every other recipe, which its plan needs for keys, and the
 * artifacts that the targets use. Fails like {@link Blobs.file}.
 */
export async function lendInputs(
  graph: Graph,
  targets: readonly RecipeId[],
  plan: Plan,
  { store: from, indexName }: PlanView,
  to: Store,
  signal: AbortSignal,
): Promise<void> {
  const again = new Set(targets)
  const used = new Set(targets.flatMap((id) => usedBy(nodeOf(graph.nodes, id))))
  for (const [id, planned] of plan) {
    if (again.has(id) || !isBuilt(planned)) continue
    const { node, key, document, artifact } = planned
    if (used.has(id) && !to.blobs.has(artifact)) {
      const path = await to.session.temporaryPath('lent')
      // A copy: the second build may be of another user, who gets all that is there.
      await copyFile(await from.blobs.file(artifact, signal), path)
      await adoptFile(to.blobs, path, artifact, signal)
    }
    const facts = { size: 0, durationMs: 0, cpuMs: 0, peakMemory: 0 } // nobody asks there
    const entry = { recipe: id, key, artifact, document, ...facts }
    await to.index.record(indexName(key, node.recipe.host), entry)
  }
}

/** Whether all is known of a recipe that its index entry has. */
function isBuilt(planned: Planned): planned is Planned & {
  readonly [name in 'key' | 'document' | 'artifact']: NonNullable<Planned[name]>
} {
  const { key, document, artifact } = planned
  return key !== undefined && document !== undefined && artifact !== undefined
}
