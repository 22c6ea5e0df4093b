import type { RecipeId } from '../base/recipe-id.ts'
import { nodeOf, usedBy, type Graph, type Node } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { HistoryEntry, Index } from '../store/rooms.ts'
import type { Candidate } from './queue.ts'

/** What the actions of a plan are expected to take: as in their last runs, else as recipes say. */
export class Forecast {
  readonly #graph: Graph
  readonly #past = new Map<RecipeId, HistoryEntry>()
  readonly #remaining: ReadonlyMap<RecipeId, number>

  /** Reads the history of all that will or may run. */
  constructor(graph: Graph, plan: Plan, index: Pick<Index, 'history'>) {
    this.#graph = graph
    for (const [id, { state }] of plan) {
      if (state === 'stored' || state === 'unneeded') continue
      const past = index.history(id).at(-1)
      if (past !== undefined) this.#past.set(id, past)
    }
    this.#remaining = remainingTimes(plan, (id) => this.duration(id))
  }

  /** Milliseconds that an action takes: those of its last run, else the recipe's cost. */
  duration(recipe: RecipeId): number {
    const past = this.#past.get(recipe)?.durationMs
    return past ?? nodeOf(this.#graph.nodes, recipe).recipe.cost * 1000
  }

  /** Milliseconds of CPU time that an action takes; of one long ago, as if it used one core. */
  work(recipe: RecipeId): number {
    return this.#past.get(recipe)?.cpuMs ?? this.duration(recipe)
  }

  /** Milliseconds from the start of an action to the end of the longest chain it begins. */
  remaining(recipe: RecipeId): number {
    return this.#remaining.get(recipe) ?? 0
  }

  /** Bytes of memory that an action uses at most. */
  memory(recipe: RecipeId): number {
    return this.#past.get(recipe)?.peakMemory ?? nodeOf(this.#graph.nodes, recipe).recipe.memory
  }

  candidate(recipe: RecipeId): Candidate {
    return { recipe, remaining: this.remaining(recipe), memory: this.memory(recipe) }
  }
}

/**
 * For each recipe that will or may run, the time from its start to the end of the longest chain it
 * begins. `costOf` gives an action's own time in milliseconds.
 */
export function remainingTimes(
  plan: Plan,
  costOf: (recipe: RecipeId) => number,
): Map<RecipeId, number> {
  const run = [...plan.values()].filter(({ state }) => state !== 'stored' && state !== 'unneeded')
  return chainTimes(
    run.map(({ node }) => node),
    costOf,
  )
}

/** Like {@link remainingTimes}, for nodes that all run; each comes after all that it uses. */
export function chainTimes(
  nodes: readonly Node[],
  costOf: (recipe: RecipeId) => number,
): Map<RecipeId, number> {
  const remaining = new Map<RecipeId, number>()
  // Users come after what they use, so going backwards meets every user first.
  for (const node of [...nodes].reverse()) {
    const { id } = node.recipe
    const own = (remaining.get(id) ?? 0) + costOf(id)
    remaining.set(id, own)
    for (const used of usedBy(node)) remaining.set(used, Math.max(remaining.get(used) ?? 0, own))
  }
  return remaining
}
