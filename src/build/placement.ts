import type { RecipeId } from '../base/recipe-id.ts'
import type { BuildOptions } from './build-context.ts'
import type { Queue } from './queue.ts'

/** What this machine may run. */
export type Machine = Pick<BuildOptions, 'cores' | 'memory' | 'remoteOnly'>

/** Decides where actions run: other machines get theirs first, this one takes what is left. */
export class Placement {
  readonly #machine: Machine
  readonly #isHost: (recipe: RecipeId) => boolean
  readonly #here = new Set<RecipeId>()
  readonly #away = new Set<RecipeId>()
  /** What could not be run elsewhere. */
  readonly #stays = new Set<RecipeId>()

  /** `isHost` names the recipes of host layers: their actions see this machine, so they stay. */
  constructor(machine: Machine, isHost: (recipe: RecipeId) => boolean) {
    this.#machine = machine
    this.#isHost = isHost
  }

  /** Takes what other machines start now. `slots`: actions that they may run at a time. */
  takeAway(queue: Queue, slots: number): RecipeId[] {
    const chosen = queue.take({
      slots: slots - this.#away.size,
      memory: Infinity,
      idle: false,
      takes: (recipe) => this.#mayLeave(recipe),
    })
    for (const recipe of chosen) this.#away.add(recipe)
    return chosen
  }

  /** Whether this machine has a core for something in the queue. */
  mayTakeHere(queue: Queue): boolean {
    return this.#freeCores > 0 && queue.has((recipe) => this.#mayStay(recipe))
  }

  /** Takes what this machine starts now. `memoryOf`: bytes that an action may be expected to use. */
  takeHere(queue: Queue, memoryOf: (recipe: RecipeId) => number): RecipeId[] {
    const promised = [...this.#here].reduce((sum, recipe) => sum + memoryOf(recipe), 0)
    const chosen = queue.take({
      slots: this.#freeCores,
      memory: this.#machine.memory - promised,
      idle: this.#here.size === 0,
      takes: (recipe) => this.#mayStay(recipe),
    })
    for (const recipe of chosen) this.#here.add(recipe)
    return chosen
  }

  /** Keeps an action here from now on, since no other machine could run it. */
  keepHere(recipe: RecipeId): void {
    this.#stays.add(recipe)
  }

  /** Takes an action that ended. */
  end(recipe: RecipeId): void {
    this.#here.delete(recipe)
    this.#away.delete(recipe)
  }

  get #freeCores(): number {
    return this.#machine.cores - this.#here.size
  }

  #mayLeave(recipe: RecipeId): boolean {
    return !this.#stays.has(recipe) && !this.#isHost(recipe)
  }

  #mayStay(recipe: RecipeId): boolean {
    return this.#machine.remoteOnly !== true || !this.#mayLeave(recipe)
  }
}
