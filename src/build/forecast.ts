import { DEFAULT_COST } from '../base/constants.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { nodeOf, usedBy, type Graph, type Node } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { HistoryEntry, Index } from '../store/rooms.ts'
import type { Candidate } from './queue.ts'

/**
 * What the actions of a plan are expected to take: as in their last runs, else as recipes say, at
 * the {@link paceOf} of this machine.
 */
export class Forecast {
  readonly #graph: Graph
  readonly #past = new Map<RecipeId, HistoryEntry>()
  readonly #pace: Pace
  readonly #remaining: ReadonlyMap<RecipeId, number>

  /** Reads the history of all that will or may run, and if it misses any, that of the others. */
  constructor(graph: Graph, plan: Plan, index: Pick<Index, 'history'>) {
    this.#graph = graph
    let misses = false
    for (const [id, { state }] of plan) {
      if (state === 'stored' || state === 'unneeded') continue
      const past = index.history(id).at(-1)
      if (past === undefined) misses = true
      else this.#past.set(id, past)
    }
    this.#pace = misses ? paceOf(graph, index) : { duration: 1, work: 1 }
    this.#remaining = remainingTimes(plan, (id) => this.duration(id))
  }

  /** Milliseconds that an action takes. */
  duration(recipe: RecipeId): number {
    return this.#past.get(recipe)?.durationMs ?? this.#costOf(recipe) * this.#pace.duration
  }

  /** Milliseconds of CPU time that an action takes; of one long ago, as if it used one core. */
  work(recipe: RecipeId): number {
    const past = this.#past.get(recipe)
    return past?.cpuMs ?? past?.durationMs ?? this.#costOf(recipe) * this.#pace.work
  }

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

/** Times that actions take here, each in relation to the costs that recipes state. */
interface Pace {
  readonly duration: number
  readonly work: number
}

/**
 * How this machine compares with the one that the costs of recipes are from: the median over what
 * was built here, where a recipe counts by its cost. 1 where nothing was. Many recipes leave their
 * cost at the default, so one of that or less tells nothing.
 */
function paceOf({ nodes }: Graph, index: Pick<Index, 'history'>): Pace {
  const seen = [...nodes.values()].flatMap(({ recipe: { id, cost } }) => {
    const past = cost <= DEFAULT_COST ? undefined : index.history(id).at(-1)
    return past === undefined ? [] : [{ cost, ...past }]
  })
  const medianOf = (msOf: (past: (typeof seen)[number]) => number): number =>
    weightedMedian(seen.map((past) => [msOf(past) / (past.cost * 1000), past.cost])) ?? 1
  return {
    duration: medianOf(({ durationMs }) => durationMs),
    work: medianOf(({ cpuMs, durationMs }) => cpuMs ?? durationMs),
  }
}

/** The value that half of the weight is at or below; undefined for no values. */
function weightedMedian(values: (readonly [value: number, weight: number])[]): number | undefined {
  let left = values.reduce((sum, [, weight]) => sum + weight, 0) / 2
  for (const [value, weight] of values.sort(([a], [b]) => a - b)) {
    left -= weight
    if (left <= 0) return value
  }
  return undefined
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
