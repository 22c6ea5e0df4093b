import { FixpointError } from '../../base/error.ts'
import { exists } from '../../base/files.ts'
import { resumeAction } from '../../build/action.ts'
import { actionOf } from '../../build/build.ts'
import { knownTo } from '../../build/plan-view.ts'
import { graphOf } from '../../plan/graph.ts'
import { plan } from '../../plan/plan.ts'
import { requireSandbox } from '../../sandbox/probe.ts'
import { requireClock } from '../../build/clock.ts'
import type { Engine } from '../engine.ts'
import { explainFailure } from '../view/explain-failure.ts'
import { requireOwnStore } from '../../build/store-owner.ts'
import { resolveTarget } from '../targets.ts'
import { buildContext, type BuildFlags } from './build.ts'

/**
 * `build --from STEP RECIPE`: goes on in the kept tree of a failed build. What comes out is shown,
 * never recorded.
 */
export async function resumeCommand(
  engine: Engine,
  words: readonly string[],
  step: string,
  flags: BuildFlags,
): Promise<void> {
  const [word, ...others] = words
  if (word === undefined || others.length > 0)
    throw new FixpointError(
      'usage',
      'one-recipe',
      'Cannot go on from a step: name the one recipe whose tree was kept',
    )
  const metadata = await engine.metadata()
  const store = await engine.store()
  const id = resolveTarget(metadata, word)
  const folder = store.keptPath(id)
  if (!(await exists(folder))) {
    throw new FixpointError(
      'usage',
      'nothing-kept',
      `Cannot go on with ${id}: no tree of a failed build was kept`,
      {
        hint: `Build it with: fixpoint build --keep-failed ${id}`,
      },
    )
  }
  const graph = graphOf(metadata, [id])
  const planned = plan(graph, [id], knownTo(store, engine.nameOf)).get(id)
  if (planned?.key === undefined)
    throw new FixpointError(
      'usage',
      'inputs-missing',
      `Cannot go on with ${id}: its inputs changed and are not built`,
    )
  const action = actionOf(plan(graph, [id], knownTo(store, engine.nameOf)), planned)
  requireClock()
  requireSandbox()
  await requireOwnStore(store.root)
  const { artifact } = await resumeAction(
    action,
    {
      ...(await buildContext(engine, flags)),
      jobserver: undefined,
      folder,
      log: await store.logPath(id, action.key),
      signal: engine.signal,
    },
    step,
  ).catch((error: unknown) => {
    throw explainFailure(id, error, engine.options, { keepFailed: true })
  })
  await engine.result([`${id} ${artifact} tainted: made in a tree that was kept, not recorded`], {
    type: 'tainted',
    recipe: id,
    artifact,
  })
}
