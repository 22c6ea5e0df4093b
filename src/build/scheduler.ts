import { EventEmitter, once } from 'node:events'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { explainDiskFull } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { FileSource } from '../metadata/model.ts'
import { nodeOf, sourcesOf, type Graph } from '../plan/graph.ts'
import type { LivePlan } from '../plan/live-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { Discards } from './background-removal.ts'
import type { BuildContext, BuildOptions } from './build-context.ts'
import { Estimate } from './estimate.ts'
import { RunElsewhere, type Action, type Executor, type RemoteExecutor } from './executor.ts'
import { Forecast } from './forecast.ts'
import { Inquiry } from './inquiry.ts'
import { localExecutor, type LocalExecutor } from './local-executor.ts'
import { makeArtifact } from './make-artifact.ts'
import { Placement } from './placement.ts'
import { actionOf } from './planned-action.ts'
import { Queue } from './queue.ts'
import type { SharedResults } from './shared-results.ts'

/** What a scheduler did. */
export interface Scheduled {
  /** Recipes whose action ran, in the order they ended. */
  readonly ran: readonly RecipeId[]
  readonly failures: ReadonlyMap<RecipeId, unknown>
  /** The plan as it stood at the end. */
  readonly plan: Plan
}

/** What is to be scheduled. */
export interface Work {
  readonly graph: Graph
  readonly targets: readonly RecipeId[]
  readonly live: LivePlan
  /** Makes a new plan when a blob was lost. */
  readonly planAgain: () => LivePlan
  readonly shared: SharedResults | undefined
  readonly remote: RemoteExecutor | undefined
  /** Called before the first action runs here. Fails as {@link requireHost} does. */
  readonly checkHost: () => Promise<void>
}

/**
 * Runs what the plan says until nothing is left, or something failed, and brings the plan up to
 * date with the results. Rejects when it is interrupted, when the host is not fit, and for a bug.
 */
export function schedule(
  work: Work,
  options: BuildOptions,
  context: BuildContext,
): Promise<Scheduled> {
  return new Scheduler(work, options, context).run()
}

/** If removing the build folders takes longer than this, it is reported. Milliseconds. */
const LONG_REMOVAL = 2000

/** One build under way. */
class Scheduler {
  readonly #graph: Graph
  readonly #options: BuildOptions
  readonly #context: BuildContext
  readonly #work: Work
  readonly #targets: ReadonlySet<RecipeId>
  readonly #inquiry: Inquiry
  readonly #bringing = new Map<RecipeId, Promise<void>>()
  readonly #local: LocalExecutor
  readonly #running = new Map<RecipeId, Promise<void>>()
  readonly #placement: Placement
  readonly #fetching = new Map<RecipeId, Promise<void>>()
  readonly #fetched = new Set<RecipeId>()
  readonly #fetchEnd = new AbortController()
  readonly #fetchSignal: AbortSignal
  readonly #failures = new Map<RecipeId, unknown>()
  readonly #ran: RecipeId[] = []
  readonly #discards = new Discards()
  /** Says `end` when an action has ended, or a fetch. */
  readonly #news = new EventEmitter()
  #live: LivePlan
  #forecast: Forecast
  #estimate: Estimate
  #queue = new Queue()
  /** What has ended since the plan was last brought up to date. */
  readonly #ended: RecipeId[] = []
  /** A blob that the plan counts on was found missing or damaged. */
  #lost = false

  constructor(work: Work, options: BuildOptions, context: BuildContext) {
    this.#work = work
    this.#graph = work.graph
    this.#targets = new Set(work.targets)
    this.#live = work.live
    this.#options = options
    this.#context = context
    this.#placement = new Placement(options, (id) => nodeOf(this.#graph.nodes, id).recipe.host)
    this.#local = localExecutor(options, context, this.#discards)
    this.#fetchSignal = AbortSignal.any([options.signal, this.#fetchEnd.signal])
    this.#forecast = this.#makeForecast()
    this.#estimate = this.#makeEstimate()
    this.#inquiry = new Inquiry(work.shared, {
      signal: this.#fetchSignal,
      onAnswer: (id) => {
        this.#end(id)
      },
      onFailure: (id, error) => {
        this.#fail(id, 'cache', '', error)
      },
    })
  }

  async run(): Promise<Scheduled> {
    try {
      this.#consider(this.#graph.nodes.keys())
      while (!this.#options.signal.aborted) {
        if (this.#mayStart()) await this.#startActions()
        const fetches = this.#mayStart()
          ? this.#fetching.size + this.#bringing.size + this.#inquiry.due.length
          : 0
        if (this.#running.size + fetches === 0 && this.#ended.length === 0) break
        if (this.#ended.length === 0) await once(this.#news, 'end')
        this.#follow()
      }
    } finally {
      // After a failure what runs may end, since its result is of use; a download goes on from its
      // part the next time.
      await Promise.allSettled(this.#running.values())
      this.#fetchEnd.abort()
      const due = this.#inquiry.due
      await Promise.allSettled([...this.#fetching.values(), ...this.#bringing.values(), ...due])
      await this.#waitForRemovals()
    }
    this.#options.signal.throwIfAborted()
    this.#follow()
    return { ran: this.#ran, failures: this.#failures, plan: this.#live.snapshot() }
  }

  /** The tree of a large build, on a slow disk, takes minutes. */
  async #waitForRemovals(): Promise<void> {
    const tell = setTimeout(() => {
      const message = 'remove the folders of finished builds'
      this.#context.emit({ type: 'phase', at: this.#context.now(), message })
    }, LONG_REMOVAL)
    await this.#discards.settled()
    clearTimeout(tell)
  }

  #makeForecast(): Forecast {
    return new Forecast(this.#graph, this.#live.snapshot(), this.#context.store.index)
  }

  #makeEstimate(): Estimate {
    const cores = this.#options.cores + (this.#work.remote?.slots ?? 0)
    return new Estimate(this.#live.snapshot(), this.#forecast, cores)
  }

  #mayStart(): boolean {
    return this.#failures.size === 0 || this.#options.keepGoing
  }

  /** Brings the plan up to date with what has ended. */
  #follow(): void {
    const changed = this.#ended.splice(0).flatMap((id) => this.#live.update(id).concat(id))
    if (!this.#lost) {
      for (const id of changed) if (this.#isDone(id)) this.#estimate.end(id)
      this.#consider(changed)
      this.#consider(this.#inquiry.takeHeld())
      return
    }
    // Any recipe may have used what was lost. The queue goes by the old forecast.
    this.#lost = false
    this.#queue = new Queue()
    this.#live = this.#work.planAgain()
    this.#forecast = this.#makeForecast()
    this.#estimate = this.#makeEstimate()
    this.#consider(this.#graph.nodes.keys())
  }

  /** Whether an action has ended, or need not run. */
  #isDone(id: RecipeId): boolean {
    return this.#failures.has(id) || ['stored', 'unneeded'].includes(this.#live.stateOf(id))
  }

  /**
   * Queues recipes that are ready, and fetches for those that are known to run. Those whose key may
   * yet turn out to be stored are left alone.
   */
  #consider(recipes: Iterable<RecipeId>): void {
    const all = [...recipes]
    // Before anything else, since actions of host layers wait for the answers.
    if (this.#work.shared !== undefined && this.#mayStart())
      for (const id of all) if (this.#mayRun(id)) this.#inquiry.ask(this.#live.get(id))
    for (const id of all) {
      const state = this.#live.stateOf(id)
      if (state === 'stored' && this.#targets.has(id)) this.#bringTarget(id)
      const runs = this.#mayRun(id) && this.#inquiry.isSettled(this.#live.get(id))
      if (runs && this.#mayStart()) this.#startFetch(id)
      if (runs && state === 'ready' && this.#isComplete(id) && !this.#running.has(id))
        this.#queue.add(this.#forecast.candidate(id))
      else this.#queue.remove(this.#forecast.candidate(id))
    }
  }

  #mayRun(id: RecipeId): boolean {
    const state = this.#live.stateOf(id)
    return (state === 'ready' || state === 'blocked') && !this.#failures.has(id)
  }

  #startFetch(id: RecipeId): void {
    if (this.#fetched.has(id) || this.#fetching.has(id)) return
    const sources = sourcesOf(nodeOf(this.#graph.nodes, id))
    if (sources.length === 0) this.#fetched.add(id)
    else this.#fetching.set(id, this.#fetch(id, sources))
  }

  /** Whether all that the action of a recipe uses is here. Starts to bring what others share. */
  #isComplete(id: RecipeId): boolean {
    if (!this.#fetched.has(id)) return false
    if (this.#work.shared === undefined) return true
    const { artifacts } = actionOf(this.#live, id)
    return this.#isHere(id, [...artifacts.values()], this.#work.shared)
  }

  #bringTarget(id: RecipeId): void {
    const { artifact } = this.#live.get(id)
    if (artifact !== undefined && this.#work.shared !== undefined)
      this.#isHere(id, [artifact], this.#work.shared)
  }

  #isHere(id: RecipeId, artifacts: readonly Digest[], shared: SharedResults): boolean {
    const missing = artifacts.filter((digest) => !this.#context.store.blobs.has(digest))
    if (missing.length === 0) return true
    if (!this.#bringing.has(id) && this.#mayStart())
      this.#bringing.set(id, this.#bring(id, missing, shared))
    return false
  }

  async #bring(id: RecipeId, artifacts: readonly Digest[], shared: SharedResults): Promise<void> {
    const signal = this.#fetchSignal
    try {
      await Promise.all(artifacts.map((digest) => shared.bring(digest, signal)))
      // What could not be had is planned anew.
      if (artifacts.some((digest) => !this.#context.store.blobs.has(digest))) this.#lost = true
    } catch (error) {
      if (!signal.aborted) this.#fail(id, 'cache', '', error)
    } finally {
      this.#bringing.delete(id)
      this.#end(id)
    }
  }

  async #fetch(id: RecipeId, sources: readonly FileSource[]): Promise<void> {
    const signal = this.#fetchSignal
    try {
      await Promise.all(sources.map((source) => this.#context.fetcher.fetch(source, signal)))
      this.#fetched.add(id)
    } catch (error) {
      if (!signal.aborted) this.#fail(id, 'fetch', '', error)
    } finally {
      this.#fetching.delete(id)
      this.#end(id)
    }
  }

  async #startActions(): Promise<void> {
    const before = this.#running.size
    await this.#startWhatFits()
    if (this.#running.size > before) this.#emitEstimate()
  }

  async #startWhatFits(): Promise<void> {
    const { remote, checkHost } = this.#work
    if (remote !== undefined)
      for (const id of this.#placement.takeAway(this.#queue, remote.slots)) this.#start(id, remote)
    if (!this.#placement.mayTakeHere(this.#queue)) return
    await checkHost()
    const chosen = this.#placement.takeHere(this.#queue, (id) => this.#forecast.memory(id))
    for (const id of chosen) this.#start(id, this.#local)
  }

  #start(id: RecipeId, executor: Executor): void {
    this.#estimate.start(id, this.#context.now())
    this.#running.set(id, this.#runAction(actionOf(this.#live, id), executor))
  }

  async #runAction(action: Action, executor: Executor): Promise<void> {
    const id = action.recipe
    let log = ''
    try {
      log = await this.#context.store.logs.path(id, action.key)
      const { signal } = this.#options
      const { shared } = this.#work
      const ran = await makeArtifact(
        action,
        { log, signal },
        { ...this.#context, executor, shared },
      )
      if (ran) this.#note(id)
    } catch (error) {
      if (this.#options.signal.aborted) return
      if (isBlobLost(error)) {
        // The store set the blob aside. The next plan finds it missing: it is fetched or built
        // before this action is tried again.
        this.#lost = true
        this.#fetched.delete(id)
      } else if (error instanceof RunElsewhere) this.#placement.keepHere(id)
      else this.#fail(id, stepOf(error), log, explainDiskFull(error, this.#context.store.root))
    } finally {
      this.#running.delete(id)
      this.#placement.end(id)
      this.#end(id)
    }
  }

  #note(ran: RecipeId): void {
    this.#ran.push(ran)
    const took = this.#context.store.index.history(ran).at(-1)
    if (took !== undefined) this.#estimate.learn(ran, took)
  }

  #emitEstimate(): void {
    const at = this.#context.now()
    this.#context.emit({ type: 'estimate', at, leftMs: this.#estimate.leftMs(at) })
  }

  #end(id: RecipeId): void {
    this.#ended.push(id)
    this.#news.emit('end')
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
