import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'

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
  /** Which actions may go there; undefined: all. */
  readonly takes?: (recipe: RecipeId) => boolean
}

/** Actions that could start now, in the order in which they are to. */
export class Queue {
  readonly #candidates: Candidate[] = []

  /** Whether there is one that `takes` says yes to. */
  has(takes: (recipe: RecipeId) => boolean): boolean {
    return this.#candidates.some(({ recipe }) => takes(recipe))
  }

  /** Adds an action, unless it is there. */
  add(candidate: Candidate): void {
    const place = this.#placeOf(candidate)
    if (!this.#isAt(place, candidate)) this.#candidates.splice(place, 0, candidate)
  }

  /** Takes out an action, if it is there. */
  remove(candidate: Candidate): void {
    const place = this.#placeOf(candidate)
    if (this.#isAt(place, candidate)) this.#candidates.splice(place, 1)
  }

  /**
   * Takes out the actions to start: longest remaining path first, then by name. One that does not
   * fit the memory lets smaller ones pass.
   */
  take(room: Room): RecipeId[] {
    const chosen: Candidate[] = []
    let memory = room.memory
    for (const candidate of this.#candidates) {
      if (chosen.length >= room.slots) break
      if (room.takes?.(candidate.recipe) === false) continue
      const alone = room.idle && chosen.length === 0
      if (candidate.memory > memory && !alone) continue
      chosen.push(candidate)
      memory -= candidate.memory
    }
    for (const candidate of chosen) this.remove(candidate)
    return chosen.map(({ recipe }) => recipe)
  }

  #isAt(place: number, { recipe }: Candidate): boolean {
    return this.#candidates[place]?.recipe === recipe
  }

  /** Where a candidate is, or belongs; by halving, since thousands may be ready at once. */
  #placeOf(candidate: Candidate): number {
    let [low, high] = [0, this.#candidates.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#candidates[middle]
      if (other !== undefined && compare(other, candidate) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function compare(a: Candidate, b: Candidate): number {
  return b.remaining - a.remaining || byCodeUnit(a.recipe, b.recipe)
}
