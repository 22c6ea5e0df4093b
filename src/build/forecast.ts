import type { RecipeId } from '../base/recipe-id.ts'
import { nodeOf, usedBy, type Graph, type Node } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { HistoryEntry, Index } from '../store/rooms.ts'
import { Pace } from './pace.ts'
import type { Candidate } from './queue.ts'

/**
 * What the actions of a plan are expected to take: as in their last runs, else as recipes say, at
 * the pace of what was built here.
 */
export class Forecast {
  readonly #graph: Graph
  readonly #past = new Map<RecipeId, HistoryEntry>()
  /** In relation to the costs that recipes state. */
  readonly #pace = { duration: new Pace(), work: new Pace() }
  readonly #remaining: ReadonlyMap<RecipeId, number>

  /** Reads the history of the whole graph if anything will or may run. */
  constructor(graph: Graph, plan: Plan, index: Pick<Index, 'history'>) {
    this.#graph = graph
    if ([...plan.values()].some(({ state }) => state !== 'stored' && state !== 'unneeded'))
      for (const id of graph.nodes.keys()) this.#learn(id, index.history(id).at(-1))
    this.#remaining = remainingTimes(plan, (id) => this.duration(id))
  }

  #learn(recipe: RecipeId, past: HistoryEntry | undefined): void {
    if (past === undefined) return
    this.#past.set(recipe, past)
    this.#pace.duration.add(past.durationMs, this.#costOf(recipe))
    this.#pace.work.add(past.cpuMs ?? past.durationMs, this.#costOf(recipe))
  }

  /** Milliseconds that an action takes. */
  duration(recipe: RecipeId): number {
    return this.#past.get(recipe)?.durationMs ?? this.#costOf(recipe) * this.#pace.duration.factor
  }

  /** Milliseconds of CPU time that an action takes; of one long ago, as if it used one core. */
  work(recipe: RecipeId): number {
    const past = this.#past.get(recipe)
    return past?.cpuMs ?? past?.durationMs ?? this.#costOf(recipe) * this.#pace.work.factor
  }

  /** Milliseconds of CPU time that the recipe states. */
  #costOf(recipe: RecipeId): number {
    return nodeOf(this.#graph.nodes, recipe).recipe.cost * 1000
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
