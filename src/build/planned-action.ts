import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { usedBy } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { Action } from './executor.ts'

/** The action of a recipe that is ready. */
export function actionOf(current: Pick<Plan, 'get'>, id: RecipeId): Action {
  const { node, key, document } = current.get(id) ?? {}
  if (node === undefined || key === undefined || document === undefined)
    throw new TypeError(`"${id}" is not ready`)
  const artifacts = new Map<RecipeId, Digest>()
  for (const { recipe } of usedBy(document)) {
    const artifact = current.get(recipe)?.artifact
    if (artifact !== undefined) artifacts.set(recipe, artifact)
  }
  const { sources, patches, files, timeout } = node.recipe
  return { recipe: id, key, document, artifacts, sources, patches, files, timeout }
}
