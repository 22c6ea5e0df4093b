import type { RecipeId } from '../base/recipe-id.ts'
import type { Graph } from '../plan/graph.ts'
import { LivePlan } from '../plan/live-plan.ts'
import type { Plan, State } from '../plan/plan.ts'
import type { BuildContext, BuildOptions } from './build-context.ts'
import type { RemoteExecutor } from './executor.ts'
import type { Scheduled } from './scheduler.ts'
import { knownTo, type SharedResults } from './shared-results.ts'
import { skippedBy } from './skipped.ts'

/** What became of a build. */
export interface BuildResult extends Scheduled {
  /** Recipes not built because of a failure. */
  readonly skipped: readonly RecipeId[]
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
export async function build(
  graph: Graph,
  targets: readonly RecipeId[],
  options: BuildOptions,
  context: BuildContext,
): Promise<BuildResult> {
  const { store, emit, now } = context
  let shared: SharedResults | undefined
  let remote: RemoteExecutor | undefined
  const planAgain = (): LivePlan => new LivePlan(graph, targets, knownTo(context, shared))
  await store.session.sweep()
  let live = planAgain()
  let current = live.snapshot()
  // At the start: what is used on the way is not counted again once the targets are there.
  const stored = count(current, ['stored'])
  const somethingRuns = count(current, ['ready']) > 0
  // With results of others perhaps nothing runs: then any host will do.
  const checkHost = once(async () => (await import('./require-host.ts')).requireHost(store.root))
  if (somethingRuns) {
    shared = await context.shared?.()
    remote = await context.remote?.()
    if (shared === undefined && remote === undefined) await checkHost()
    // From here on nobody collects what this build goes by; what was collected meanwhile is missing
    // from the second plan.
    await store.session.folder()
    live = planAgain()
    current = live.snapshot()
  }
  const toRun = count(current, ['ready', 'blocked', 'waits'])
  const there = count(current, ['stored'])
  emit({ type: 'plan', at: now(), total: there + toRun, stored: there, toRun })
  // What runs actions is loaded when one is to run.
  const { ran, failures, plan } = somethingRuns
    ? await (
        await import('./scheduler.ts')
      ).schedule({ graph, targets, live, planAgain, shared, remote, checkHost }, options, context)
    : { ran: [], failures: new Map<RecipeId, unknown>(), plan: current }
  await remote?.close()
  await shared?.close()
  options.signal.throwIfAborted()
  const skipped = skippedBy(plan, [...failures.keys()])
  for (const one of skipped) emit({ type: 'action-skipped', at: now(), ...one })
  emit({
    type: 'done',
    at: now(),
    ran: ran.length,
    stored,
    failed: failures.size,
    skipped: skipped.length,
  })
  return { ran, failures, plan, skipped: skipped.map(({ recipe }) => recipe) }
}

function count(current: Plan, states: readonly State[]): number {
  return [...current.values()].filter(({ state }) => states.includes(state)).length
}

/** Does `work` when it is first asked for, and once. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
