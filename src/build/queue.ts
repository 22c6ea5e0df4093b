import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'
import { usedBy } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'

/** An action that could start now. */
export interface Candidate {
  readonly recipe: RecipeId
  /** Milliseconds from its start to the end of the longest chain of actions that begins with it. */
  readonly remaining: number
  /** Bytes it is expected to use at most. */
  readonly memory: number
}

/** What is left of the machine. */
export interface Room {
  /** Actions that may be added. */
  readonly slots: number
  /** Bytes not promised to running actions. */
  readonly memory: number
  /**
   * True when nothing runs: then one action starts whatever it needs, since waiting would not help
   * it.
   */
  readonly idle: boolean
}

/**
 * The candidates to start, longest remaining path first; one that does not fit the memory lets
 * smaller ones pass.
 */
export function choose(candidates: readonly Candidate[], room: Room): RecipeId[] {
  const ordered = [...candidates].sort(
    (a, b) => b.remaining - a.remaining || byCodeUnit(a.recipe, b.recipe),
  )
  const chosen: RecipeId[] = []
  let memory = room.memory
  for (const candidate of ordered) {
    if (chosen.length >= room.slots) break
    const alone = room.idle && chosen.length === 0
    if (candidate.memory > memory && !alone) continue
    chosen.push(candidate.recipe)
    memory -= candidate.memory
  }
  return chosen
}

/**
 * For each recipe that will or may run, the time from its start to the end of the longest chain it
 * begins. `costOf` gives an action's own time in milliseconds.
 */
export function remainingTimes(
  plan: Plan,
  costOf: (recipe: RecipeId) => number,
): Map<RecipeId, number> {
  const remaining = new Map<RecipeId, number>()
  // Users come after what they use, so going backwards meets every user first.
  for (const [id, { node, state }] of [...plan].reverse()) {
    if (state === 'stored' || state === 'unneeded') continue
    const own = (remaining.get(id) ?? 0) + costOf(id)
    remaining.set(id, own)
    for (const used of usedBy(node)) remaining.set(used, Math.max(remaining.get(used) ?? 0, own))
  }
  return remaining
}
