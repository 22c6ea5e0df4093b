import { join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import type { Action, ActionResult, ExecutorContext, StepContext } from './executor.ts'
import { runSteps } from './run-steps.ts'
import { scriptsOf } from './steps.ts'
import { Workspace } from './workspace.ts'

/**
 * Runs one action: its whole story. The work folder is removed afterwards, unless it failed and is
 * to be kept.
 */
export async function runAction(action: Action, context: ExecutorContext): Promise<ActionResult> {
  const workspace = await Workspace.create(context.folder)
  try {
    await workspace.layOut(action, context)
    const usage = await runSteps(workspace, action, scriptsOf(action.document), context)
    const packed = await context.store.trees.pack(join(workspace.folder, 'out'), context.signal)
    await workspace.discard(context.discards)
    return { ...usage, artifact: packed.digest, size: packed.size }
  } catch (error) {
    if (context.keptFolder === undefined || context.signal.aborted)
      await workspace.discard(context.discards)
    else await workspace.moveTo(context.keptFolder)
    throw error
  }
}

/**
 * Goes on with a failed action in the tree that was kept of it, from the step named `from`. The
 * result is tainted, since someone may have changed the tree: it is packed for a look, but its
 * caller must not record it. The tree stays. Fails with `no-such-step`, or as
 * {@link runSteps} does.
 */
export async function resumeAction(
  action: Action,
  context: StepContext,
  from: string,
): Promise<ActionResult> {
  const scripts = scriptsOf(action.document)
  const at = scripts.findIndex(({ name }) => name === from)
  if (at === -1) {
    const steps = scripts.map(({ name }) => name).join(', ')
    throw new FixpointError(
      'no-such-step',
      `Cannot go on from step "${from}" of ${action.recipe}: its steps are ${steps}`,
    )
  }
  const workspace = new Workspace(context.folder)
  const usage = await runSteps(workspace, action, scripts.slice(at), context)
  const packed = await context.store.trees.pack(join(workspace.folder, 'out'), context.signal)
  return { ...usage, artifact: packed.digest, size: packed.size }
}
