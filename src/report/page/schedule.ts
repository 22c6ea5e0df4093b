import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { chainTimes } from '../../build/forecast.ts'
import { Queue } from '../../build/queue.ts'
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
  const waiting = new Map(nodes.map((node) => [node.recipe.id, new Set(usedBy(node))]))
  const queue = new Queue()
  const enqueue = (recipe: RecipeId): void => {
    waiting.delete(recipe)
    queue.add({ recipe, remaining: remaining.get(recipe) ?? 0, memory: 0 })
  }
  for (const [id, uses] of [...waiting]) if (uses.size === 0) enqueue(id)
  const runs: Run[] = []
  let running: Run[] = []
  let now = 0
  for (;;) {
    const slots = cores - running.length
    for (const recipe of queue.take({ slots, memory: Infinity, idle: running.length === 0 })) {
      const core = freeCore(running, cores, critical.has(recipe))
      running.push({ recipe, core, start: now, end: now + durationOf(recipe) })
    }
    if (running.length === 0) return { cores, total: now, runs }
    const end = Math.min(...running.map((run) => run.end))
    const ended = running.filter((run) => run.end === end)
    running = running.filter((run) => run.end !== end)
    now = end
    runs.push(...ended)
    for (const [id, uses] of [...waiting]) {
      for (const { recipe } of ended) uses.delete(recipe)
      if (uses.size === 0) enqueue(id)
    }
  }
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

/** One of the free cores, of which there is at least one. */
function freeCore(running: readonly Run[], cores: number, isCritical: boolean): number {
  const taken = new Set(running.map(({ core }) => core))
  const isFree = (core: number): boolean => !taken.has(core)
  let core = isCritical ? 0 : 1
  while (core < cores && !isFree(core)) core += 1
  return core < cores ? core : 0
}
