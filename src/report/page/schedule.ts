import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { chainTimes } from '../../build/forecast.ts'
import { simulate } from '../../build/simulate.ts'
import { usedBy, type Node } from '../../plan/graph.ts'

/** When an action runs, in milliseconds since the build began, and on which core. */
export interface Run {
  readonly recipe: RecipeId
  readonly core: number
  readonly start: number
  readonly end: number
}

/** A build as it is planned for some cores. */
export interface Timeline {
  readonly cores: number
  /** Milliseconds. */
  readonly total: number
  readonly runs: readonly Run[]
}

/**
 * Plans a build by the scheduler's rule: what begins the longest chain of actions starts first. An
 * action takes one core and the time of `durationOf`, in milliseconds; memory is no limit. `nodes`
 * come after what they use. The critical path runs on the first core, as far as that is free.
 */
export function planTimeline(
  nodes: readonly Node[],
  durationOf: (recipe: RecipeId) => number,
  cores: number,
): Timeline {
  const remaining = chainTimes(nodes, durationOf)
  const critical = new Set(criticalPath(nodes, durationOf))
  const { total, runs } = simulate({
    nodes,
    candidateOf: (recipe) => ({ recipe, remaining: remaining.get(recipe) ?? 0, memory: 0 }),
    timeOf: durationOf,
    machine: { cores, memory: Infinity },
    slots: 0,
  })
  const free = Array.from({ length: cores }, () => 0)
  const placed = runs.map(({ recipe, start, end }) => {
    const core = freeCore(free, start, critical.has(recipe))
    free[core] = end
    return { recipe, core, start, end }
  })
  return { cores, total, runs: placed.sort((a, b) => a.end - b.end) }
}

/** The longest chain of actions, each of which uses the one before: no build can be shorter. */
export function criticalPath(
  nodes: readonly Node[],
  durationOf: (recipe: RecipeId) => number,
): RecipeId[] {
  const remaining = chainTimes(nodes, durationOf)
  const longest = (ids: readonly RecipeId[]): RecipeId | undefined =>
    [...ids].sort(
      (a, b) => (remaining.get(b) ?? 0) - (remaining.get(a) ?? 0) || byCodeUnit(a, b),
    )[0]
  const path: RecipeId[] = []
  let next = longest(nodes.map(({ recipe }) => recipe.id))
  while (next !== undefined) {
    path.push(next)
    const last = next
    const users = nodes.filter((node) => usedBy(node).includes(last))
    next = longest(users.map(({ recipe }) => recipe.id))
  }
  return path
}

/** One of the cores that are free at `now`, of which there is at least one. */
function freeCore(freeFrom: readonly number[], now: number, isCritical: boolean): number {
  const [first = 0, ...others] = freeFrom
  const other = others.findIndex((from) => from <= now) + 1
  return (isCritical && first <= now) || other === 0 ? 0 : other
}
