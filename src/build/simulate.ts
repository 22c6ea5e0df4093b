import type { RecipeId } from '../base/recipe-id.ts'
import { usedBy, type Node } from '../plan/graph.ts'
import { Placement, type Machine } from './placement.ts'
import { Queue, type Candidate } from './queue.ts'

/** Where an action runs: on this machine, or on another one. */
export type Place = 'here' | 'away'

/** A build to simulate. All times are in milliseconds. */
export interface Simulated {
  /** All that runs, each after what it uses. */
  readonly nodes: readonly Node[]
  /** What the scheduler expects of an action. */
  readonly candidateOf: (recipe: RecipeId) => Candidate
  /** How long an action really takes. */
  readonly timeOf: (recipe: RecipeId, place: Place) => number
  readonly machine: Machine
  /** Actions that other machines run at a time. */
  readonly slots: number
}

/** When and where an action ran, in milliseconds since the build began. */
export interface SimulatedRun {
  readonly recipe: RecipeId
  readonly place: Place
  readonly start: number
  readonly end: number
}

/** What came of a simulation. */
export interface Simulation {
  /** Milliseconds. */
  readonly total: number
  /** In the order in which they started. */
  readonly runs: readonly SimulatedRun[]
}

/**
 * Runs a build by the rules of the scheduler, on a clock of its own: nothing is run, and nobody
 * waits. Sources are there, and nothing fails.
 */
export function simulate(build: Simulated): Simulation {
  const { nodes, candidateOf, timeOf, machine, slots } = build
  const hosts = new Set(nodes.filter(({ recipe }) => recipe.host).map(({ recipe }) => recipe.id))
  const placement = new Placement(machine, (recipe) => hosts.has(recipe))
  const queue = new Queue()
  const waiting = new Waiting(nodes)
  for (const recipe of waiting.ready) queue.add(candidateOf(recipe))
  const runs: SimulatedRun[] = []
  let running: SimulatedRun[] = []
  let now = 0
  const start = (recipe: RecipeId, place: Place): void => {
    const run = { recipe, place, start: now, end: now + timeOf(recipe, place) }
    running.push(run)
    runs.push(run)
  }
  for (;;) {
    for (const recipe of placement.takeAway(queue, slots)) start(recipe, 'away')
    for (const recipe of placement.takeHere(queue, (id) => candidateOf(id).memory))
      start(recipe, 'here')
    if (running.length === 0) return { total: now, runs }
    now = running.reduce((least, { end }) => Math.min(least, end), Infinity)
    const ended = running.filter(({ end }) => end === now)
    running = running.filter(({ end }) => end !== now)
    for (const { recipe } of ended) {
      placement.end(recipe)
      for (const user of waiting.end(recipe)) queue.add(candidateOf(user))
    }
  }
}

/** Who waits for what. */
class Waiting {
  /** What waits for nothing from the start. */
  readonly ready: readonly RecipeId[]
  readonly #users = new Map<RecipeId, RecipeId[]>()
  /** How many actions a recipe waits for. */
  readonly #missing = new Map<RecipeId, number>()

  constructor(nodes: readonly Node[]) {
    for (const node of nodes) {
      const uses = new Set(usedBy(node))
      this.#missing.set(node.recipe.id, uses.size)
      for (const used of uses) {
        const users = this.#users.get(used)
        if (users === undefined) this.#users.set(used, [node.recipe.id])
        else users.push(node.recipe.id)
      }
    }
    this.ready = [...this.#missing].flatMap(([recipe, count]) => (count === 0 ? recipe : []))
  }

  /** Takes an action that ended; what waits for nothing more. */
  end(recipe: RecipeId): RecipeId[] {
    return (this.#users.get(recipe) ?? []).filter((user) => {
      const left = (this.#missing.get(user) ?? 0) - 1
      this.#missing.set(user, left)
      return left === 0
    })
  }
}
