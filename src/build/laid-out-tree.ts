import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventSink } from '../base/events.ts'
import type { Store } from '../store/store.ts'
import type { Action } from './executor.ts'
import { runSteps } from './run-steps.ts'
import { scriptsOf } from './steps.ts'
import { Workspace } from './workspace.ts'

/** What laying out a tree works with. */
export interface LayOutContext {
  readonly store: Store
  readonly emit: EventSink
  readonly now: () => number
  readonly signal: AbortSignal
}

/**
 * Makes a workspace for people in the session's folder, and runs those of the action's steps in it
 * that are named. All scripts of the action are in `/steps`. Fails as those steps do.
 */
export async function layOutTree(
  action: Action,
  steps: readonly string[],
  context: LayOutContext,
): Promise<Workspace> {
  const { store, signal } = context
  const workspace = await Workspace.create(join(await store.session.folder(), 'tree'))
  await workspace.layOut(action, { store, signal })
  const scripts = scriptsOf(action.document)
  for (const { name, script } of scripts)
    await writeFile(join(workspace.folder, 'steps', name), script)
  const wanted = scripts.filter(({ name }) => steps.includes(name))
  if (wanted.length === 0) return workspace
  const log = await store.session.temporaryPath('log')
  await writeFile(log, '')
  const run = { ...context, jobserver: undefined, folder: workspace.folder, log }
  await runSteps(workspace, action, wanted, run)
  return workspace
}
