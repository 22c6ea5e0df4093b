import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Plan } from '../plan/plan.ts'

/** A recipe whose two builds differ. */
export interface Mismatch {
  readonly recipe: RecipeId
  readonly what: 'key' | 'artifact'
  readonly first: Digest | undefined
  readonly second: Digest | undefined
}

/** How two builds of the same graph compare, above the layers that see the host. */
export interface Comparison {
  readonly same: number
  /** In the order of building, so that the first is where a difference began. */
  readonly mismatches: readonly Mismatch[]
}

/**
 * Compares the keys and artifacts of two plans of the same graph. What the host had a hand in is
 * left out: it may differ.
 */
export function compareBuilds(first: Plan, second: Plan): Comparison {
  const mismatches: Mismatch[] = []
  let same = 0
  for (const [recipe, a] of first) {
    const b = second.get(recipe)
    if (a.node.recipe.host) continue
    if (a.key !== b?.key) mismatches.push({ recipe, what: 'key', first: a.key, second: b?.key })
    else if (a.artifact === undefined || a.artifact !== b?.artifact)
      mismatches.push({ recipe, what: 'artifact', first: a.artifact, second: b?.artifact })
    else same += 1
  }
  return { same, mismatches }
}
