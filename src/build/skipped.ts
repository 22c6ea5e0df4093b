import type { RecipeId } from '../base/recipe-id.ts'
import { usedBy } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'

/** A recipe that was not built, and the failed one that is the reason. */
export interface Skipped {
  readonly recipe: RecipeId
  readonly because: RecipeId
}

/** What a build did not begin because of its failures, the first of which is `failed[0]`. */
export function skippedBy(plan: Plan, failed: readonly RecipeId[]): Skipped[] {
  const [first] = failed
  if (first === undefined) return []
  const causes = new Map(failed.map((id) => [id, id]))
  const skipped: Skipped[] = []
  for (const [recipe, { node, state }] of plan) {
    if (causes.has(recipe)) continue
    const cause = usedBy(node)
      .map((used) => causes.get(used))
      .find((found) => found !== undefined)
    if (cause !== undefined) causes.set(recipe, cause)
    // What uses nothing that failed was not begun because something else did.
    if (state !== 'stored' && state !== 'unneeded')
      skipped.push({ recipe, because: cause ?? first })
  }
  return skipped
}
