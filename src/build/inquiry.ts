import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Planned } from '../plan/plan.ts'
import type { SharedResults } from './shared-results.ts'

/** Whom answers, and failures of questions, are told. */
export interface Asker {
  readonly signal: AbortSignal
  readonly onAnswer: (recipe: RecipeId) => void
  readonly onFailure: (recipe: RecipeId, error: unknown) => void
}

/**
 * Asks once for each action what it gave elsewhere, before anything is done for it. Actions of host
 * layers are not shared: they wait until no answer is due, since that may make them needless.
 */
export class Inquiry {
  readonly #shared: SharedResults | undefined
  readonly #asker: Asker
  readonly #answered = new Set<Digest>()
  readonly #open = new Map<RecipeId, Promise<void>>()
  readonly #held = new Set<RecipeId>()

  /** Nothing is asked where nothing is shared. */
  constructor(shared: SharedResults | undefined, asker: Asker) {
    this.#shared = shared
    this.#asker = asker
  }

  /** Answers that are due. */
  get due(): readonly Promise<void>[] {
    return [...this.#open.values()]
  }

  /** Asks about the action of a recipe, unless that was done. */
  ask({ node, key, document }: Planned): void {
    const { id: recipe, host } = node.recipe
    if (this.#shared === undefined || host || key === undefined || document === undefined) return
    if (this.#answered.has(key) || this.#open.has(recipe)) return
    this.#open.set(recipe, this.#ask(this.#shared, { recipe, key, document }))
  }

  /** Whether nobody else's result is waited for. */
  isSettled({ node, key }: Planned): boolean {
    if (this.#shared === undefined || key === undefined) return true
    if (!node.recipe.host) return this.#answered.has(key)
    if (this.#open.size > 0) this.#held.add(node.recipe.id)
    return this.#open.size === 0
  }

  /** Takes those that waited for the answers of others, once there are all. */
  takeHeld(): RecipeId[] {
    if (this.#open.size > 0) return []
    const held = [...this.#held]
    this.#held.clear()
    return held
  }

  async #ask(shared: SharedResults, action: Parameters<SharedResults['find']>[0]): Promise<void> {
    const { recipe, key } = action
    const { signal, onAnswer, onFailure } = this.#asker
    try {
      await shared.find(action, signal)
    } catch (error) {
      if (!signal.aborted) onFailure(recipe, error)
    } finally {
      this.#answered.add(key)
      this.#open.delete(recipe)
      onAnswer(recipe)
    }
  }
}
