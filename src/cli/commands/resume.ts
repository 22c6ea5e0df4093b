import { FixpointError } from '../../base/error.ts'
import { exists } from '../../base/files.ts'
import { resumeAction } from '../../build/action.ts'
import { actionOf } from '../../build/planned-action.ts'
import { requireHost } from '../../build/require-host.ts'
import { graphOf } from '../../plan/graph.ts'
import { buildContext, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'
import { explainFailure } from '../view/explain-failure.ts'

/**
 * `build --from STEP RECIPE`: goes on in the kept tree of a failed build. The result is shown,
 * never recorded.
 */
export async function resumeCommand(
  command: CommandContext,
  words: readonly string[],
  step: string,
  flags: BuildFlags,
): Promise<void> {
  const [word, ...others] = words
  if (word === undefined || others.length > 0)
    throw new FixpointError(
      'one-recipe',
      'Cannot go on from a step: name the one recipe whose tree was kept',
    )
  const metadata = await command.metadata()
  const store = await command.store()
  const id = resolveTarget(metadata, word)
  const folder = store.logs.keptFolder(id)
  if (!(await exists(folder))) {
    throw new FixpointError(
      'no-kept-tree',
      `Cannot go on with ${id}: no tree of a failed build was kept`,
      { facts: { recipe: id } },
    )
  }
  const plan = await command.plan(graphOf(metadata, [id]), [id])
  if (plan.get(id)?.key === undefined)
    throw new FixpointError(
      'inputs-missing',
      `Cannot go on with ${id}: its inputs changed and are not built`,
    )
  const action = actionOf(plan, id)
  await requireHost(store.root)
  const context = {
    ...(await buildContext(command, flags)),
    jobserver: undefined,
    folder,
    log: await store.logs.path(id, action.key),
    signal: command.signal,
  }
  const { artifact } = await resumeAction(action, context, step).catch((error: unknown) => {
    throw explainFailure(id, error, { keepFailed: true })
  })
  await command.result([`${id} ${artifact} tainted: made in a tree that was kept, not recorded`], {
    type: 'tainted',
    recipe: id,
    artifact,
  })
}
