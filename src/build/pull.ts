import type { RecipeId } from '../base/recipe-id.ts'
import type { Graph } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { LivePlan } from '../plan/live-plan.ts'
import type { PlanView } from '../store/plan-view.ts'
import { Inquiry } from './inquiry.ts'
import { knownTo, type SharedResults } from './shared-results.ts'

/**
 * Brings `targets` into the store as far as others made them; nothing runs. Returns the plan as it
 * is then: what still has to be built is not stored. Fails as {@link SharedResults.find} does.
 */
export async function pull(
  graph: Graph,
  targets: readonly RecipeId[],
  shared: SharedResults,
  view: PlanView,
  signal: AbortSignal,
): Promise<Plan> {
  await view.store.session.folder()
  let live = new LivePlan(graph, targets, knownTo(view, shared))
  let changed: RecipeId[] = [...graph.nodes.keys()]
  let failure: { readonly error: unknown } | undefined
  const answers: RecipeId[] = []
  const inquiry = new Inquiry(shared, {
    signal,
    onAnswer: (id) => answers.push(id),
    onFailure: (_, error) => (failure ??= { error }),
  })
  for (;;) {
    for (const id of changed)
      if (['ready', 'blocked'].includes(live.stateOf(id))) inquiry.ask(live.get(id))
    if (inquiry.due.length > 0) await Promise.race(inquiry.due)
    signal.throwIfAborted()
    if (failure !== undefined) throw failure.error
    changed = answers.splice(0).flatMap((id) => [id, ...live.update(id)])
    if (changed.length > 0 || inquiry.due.length > 0) continue
    const artifacts = targets.flatMap((id) => live.get(id).artifact ?? [])
    const missing = artifacts.filter((digest) => shared.offers(digest))
    await Promise.all(missing.map((digest) => shared.bring(digest, signal)))
    if (missing.every((digest) => shared.offers(digest))) return live.snapshot()
    live = new LivePlan(graph, targets, knownTo(view, shared))
    changed = [...graph.nodes.keys()]
  }
}
