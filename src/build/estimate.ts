import type { RecipeId } from '../base/recipe-id.ts'
import type { Plan } from '../plan/plan.ts'
import type { HistoryEntry } from '../store/rooms.ts'
import type { Forecast } from './forecast.ts'
import { Pace } from './pace.ts'

/**
 * How long a build will go on: as long as the longest chain of actions that is left, or as all the
 * work that is left takes on the cores, whichever is more. What is left is expected to go on as
 * what has ended: the machine may be slower, or busier, than when the expected times were taken.
 */
export class Estimate {
  readonly #forecast: Pick<Forecast, 'duration' | 'work' | 'remaining'>
  readonly #cores: number
  /** All that may run, the beginnings of long chains first. */
  readonly #chains: readonly RecipeId[]
  readonly #left: Set<RecipeId>
  /** When actions that run began, milliseconds. */
  readonly #running = new Map<RecipeId, number>()
  /** Before this place in the list of chains nothing is left to start. */
  #place = 0
  /** Milliseconds of CPU time, as expected at the beginning. */
  #work: number
  readonly #pace = { duration: new Pace(), work: new Pace() }

  /** `plan`: as it stands before the first action. */
  constructor(
    plan: Plan,
    forecast: Pick<Forecast, 'duration' | 'work' | 'remaining'>,
    cores: number,
  ) {
    this.#forecast = forecast
    this.#cores = cores
    const mayRun = [...plan].filter(([, { state }]) => state !== 'stored' && state !== 'unneeded')
    this.#left = new Set(mayRun.map(([id]) => id))
    this.#chains = [...this.#left].sort((a, b) => forecast.remaining(b) - forecast.remaining(a))
    this.#work = [...this.#left].reduce((sum, id) => sum + forecast.work(id), 0)
  }

  /** Takes an action that begins. */
  start(recipe: RecipeId, now: number): void {
    if (this.#left.has(recipe)) this.#running.set(recipe, now)
  }

  /** Takes what an action took. */
  learn(recipe: RecipeId, { durationMs, cpuMs }: Pick<HistoryEntry, 'durationMs' | 'cpuMs'>): void {
    this.#pace.duration.add(durationMs, this.#forecast.duration(recipe))
    if (cpuMs !== undefined) this.#pace.work.add(cpuMs, this.#forecast.work(recipe))
  }

  /** Takes an action that ended, or that turned out not to run. */
  end(recipe: RecipeId): void {
    this.#running.delete(recipe)
    if (this.#left.delete(recipe)) this.#work -= this.#forecast.work(recipe)
  }

  /** Milliseconds from `now` to the end of the build. */
  leftMs(now: number): number {
    const pace = this.#pace.duration.factor
    let work = this.#work
    let chain = this.#nextChain() * pace
    for (const [recipe, since] of this.#running) {
      const duration = this.#forecast.duration(recipe) * pace
      const elapsed = Math.min(now - since, duration)
      if (duration > 0) work -= (this.#forecast.work(recipe) * elapsed) / duration
      chain = Math.max(chain, this.#forecast.remaining(recipe) * pace - elapsed)
    }
    return Math.max(chain, (work * this.#pace.work.factor) / this.#cores)
  }

  /** The longest chain that begins with an action that has not begun. */
  #nextChain(): number {
    for (; this.#place < this.#chains.length; this.#place += 1) {
      const recipe = this.#chains[this.#place]
      if (recipe !== undefined && this.#left.has(recipe) && !this.#running.has(recipe))
        return this.#forecast.remaining(recipe)
    }
    return 0
  }
}
