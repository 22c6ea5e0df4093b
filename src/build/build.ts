import { FixpointError } from '../base/error.ts'
import { explainDiskFull } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { nodeOf, sourcesOf, type Graph } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { planOn } from '../store/plan-view.ts'
import { Discards } from './background-removal.ts'
import type { BuildContext, BuildOptions } from './build-context.ts'
import { Jobserver } from './jobserver.ts'
import { makeArtifact } from './make-artifact.ts'
import { actionOf } from './planned-action.ts'
import { choose, remainingTimes } from './queue.ts'
import { requireHost } from './require-host.ts'
import { skippedBy } from './skipped.ts'

/** What became of a build. */
export interface BuildResult {
  /** Recipes whose action ran, in the order they ended. */
  readonly ran: readonly RecipeId[]
  readonly failures: ReadonlyMap<RecipeId, unknown>
  /** Recipes not built because of a failure. */
  readonly skipped: readonly RecipeId[]
  /** The plan as it stood at the end. */
  readonly plan: Plan
}

/** Builds targets of a graph like {@link build}, but throws what failed. */
export type Builder = (
  graph: Graph,
  targets: readonly RecipeId[],
  context: BuildContext,
) => Promise<BuildResult>

/**
 * Builds `targets` and what they need. Failures of recipes are in the result. Rejects when it is
 * interrupted, for a bug, and as {@link requireHost} does, before anything runs.
 */
export function build(
  graph: Graph,
  targets: readonly RecipeId[],
  options: BuildOptions,
  context: BuildContext,
): Promise<BuildResult> {
  return new Build(graph, targets, options, context).run()
}

/** One build under way. */
class Build {
  readonly #graph: Graph
  readonly #targets: readonly RecipeId[]
  readonly #options: BuildOptions
  readonly #context: BuildContext
  readonly #jobserver: Jobserver
  readonly #running = new Map<RecipeId, Promise<void>>()
  readonly #fetching = new Map<RecipeId, Promise<void>>()
  readonly #fetched = new Set<RecipeId>()
  readonly #fetchEnd = new AbortController()
  readonly #failures = new Map<RecipeId, unknown>()
  readonly #ran: RecipeId[] = []
  readonly #discards = new Discards()
  readonly #past = new Map<RecipeId, { durationMs: number; peakMemory: number }>()

  constructor(
    graph: Graph,
    targets: readonly RecipeId[],
    options: BuildOptions,
    context: BuildContext,
  ) {
    this.#graph = graph
    this.#targets = targets
    this.#options = options
    this.#context = context
    this.#jobserver = new Jobserver(options.cores)
  }

  async run(): Promise<BuildResult> {
    await this.#context.store.session.sweep()
    let current = this.#plan()
    // At the start: what is used on the way is not counted again once the targets are there.
    const stored = [...current.values()].filter(({ state }) => state === 'stored').length
    if ([...current.values()].some(({ state }) => state === 'ready')) {
      await requireHost(this.#context.store.root)
      // From here on nobody collects what this build goes by; what was collected meanwhile is
      // missing from the second plan.
      await this.#context.store.session.folder()
      current = this.#plan()
    }
    this.#announce(current)
    this.#recall(current)
    while (!this.#options.signal.aborted) {
      if (this.#mayStart()) {
        this.#startFetches(current)
        this.#startActions(current)
      }
      const pending = [
        ...this.#running.values(),
        ...(this.#mayStart() ? this.#fetching.values() : []),
      ]
      if (pending.length === 0) break
      await Promise.race(pending)
      current = this.#plan()
    }
    // After a failure what runs may end, since its result is of use; a download goes on from its
    // part the next time.
    await Promise.allSettled(this.#running.values())
    this.#fetchEnd.abort()
    await Promise.allSettled(this.#fetching.values())
    await this.#discards.settled()
    this.#options.signal.throwIfAborted()
    const skipped = skippedBy(current, [...this.#failures.keys()])
    for (const one of skipped)
      this.#context.emit({ type: 'action-skipped', at: this.#context.now(), ...one })
    this.#context.emit({
      type: 'done',
      at: this.#context.now(),
      ran: this.#ran.length,
      stored,
      failed: this.#failures.size,
      skipped: skipped.length,
    })
    return {
      ran: this.#ran,
      failures: this.#failures,
      skipped: skipped.map(({ recipe }) => recipe),
      plan: current,
    }
  }

  #plan(): Plan {
    return planOn(this.#context, this.#graph, this.#targets)
  }

  #mayStart(): boolean {
    return this.#failures.size === 0 || this.#options.keepGoing
  }

  #announce(current: Plan): void {
    const states = [...current.values()].map(({ state }) => state)
    const stored = states.filter((state) => state === 'stored').length
    const toRun = states.filter((state) => ['ready', 'blocked', 'waits'].includes(state)).length
    this.#context.emit({
      type: 'plan',
      at: this.#context.now(),
      total: stored + toRun,
      stored,
      toRun,
    })
  }

  /** Reads what past runs of the actions took; nothing is read when nothing runs. */
  #recall(current: Plan): void {
    for (const [id, { state }] of current) {
      if (state === 'stored' || state === 'unneeded') continue
      const past = this.#context.store.index.history(id).at(-1)
      if (past !== undefined) this.#past.set(id, past)
    }
  }

  /**
   * Fetches for every action that is known to run: those whose key may yet turn out to be stored
   * are left alone.
   */
  #startFetches(current: Plan): void {
    for (const [id, { state }] of current) {
      if (
        (state !== 'ready' && state !== 'blocked') ||
        this.#fetched.has(id) ||
        this.#fetching.has(id) ||
        this.#failures.has(id)
      )
        continue
      this.#fetching.set(id, this.#fetchSources(id))
    }
  }

  async #fetchSources(id: RecipeId): Promise<void> {
    const sources = sourcesOf(nodeOf(this.#graph.nodes, id))
    const signal = AbortSignal.any([this.#options.signal, this.#fetchEnd.signal])
    try {
      await Promise.all(sources.map((source) => this.#context.fetcher.fetch(source, signal)))
      this.#fetched.add(id)
    } catch (error) {
      if (!signal.aborted) this.#fail(id, 'fetch', '', error)
    } finally {
      this.#fetching.delete(id)
    }
  }

  #startActions(current: Plan): void {
    const free = this.#options.cores - this.#running.size
    if (free <= 0) return
    const remaining = remainingTimes(current, (id) => this.#cost(id))
    const candidates = [...current.keys()]
      .filter(
        (id) =>
          current.get(id)?.state === 'ready' &&
          this.#fetched.has(id) &&
          !this.#running.has(id) &&
          !this.#failures.has(id),
      )
      .map((recipe) => ({
        recipe,
        remaining: remaining.get(recipe) ?? 0,
        memory: this.#memory(recipe),
      }))
    const promised = [...this.#running.keys()].reduce((sum, id) => sum + this.#memory(id), 0)
    const room = {
      slots: free,
      memory: this.#options.memory - promised,
      idle: this.#running.size === 0,
    }
    for (const id of choose(candidates, room)) this.#running.set(id, this.#runOne(current, id))
  }

  #cost(id: RecipeId): number {
    return this.#past.get(id)?.durationMs ?? nodeOf(this.#graph.nodes, id).recipe.cost * 1000
  }

  #memory(id: RecipeId): number {
    return this.#past.get(id)?.peakMemory ?? nodeOf(this.#graph.nodes, id).recipe.memory
  }

  async #runOne(current: Plan, id: RecipeId): Promise<void> {
    const action = actionOf(current, id)
    let log = ''
    try {
      log = await this.#context.store.logs.path(id, action.key)
      const ran = await makeArtifact(action, log, {
        ...this.#context,
        keepFailed: this.#options.keepFailed,
        signal: this.#options.signal,
        jobserver: this.#jobserver,
        discards: this.#discards,
      })
      if (ran) this.#ran.push(id)
    } catch (error) {
      if (this.#options.signal.aborted) return
      // The store set the blob aside: the next plan finds it missing, and fetches or builds it
      // before this action is tried again.
      if (isBlobLost(error)) this.#fetched.delete(id)
      else this.#fail(id, stepOf(error), log, explainDiskFull(error, this.#context.store.root))
    } finally {
      this.#running.delete(id)
    }
  }

  #fail(id: RecipeId, step: string, log: string, error: unknown): void {
    this.#failures.set(id, error)
    const message = error instanceof Error ? error.message : String(error)
    this.#context.emit({
      type: 'action-failed',
      at: this.#context.now(),
      recipe: id,
      step,
      log,
      message,
    })
  }
}

function isBlobLost(error: unknown): boolean {
  return (
    error instanceof FixpointError &&
    (error.code === 'blob-damaged' || error.code === 'blob-missing')
  )
}

function stepOf(error: unknown): string {
  return error instanceof FixpointError ? (error.facts.step ?? '') : ''
}
