import { join } from 'node:path'
import { folderName } from '../base/recipe-id.ts'
import { runAction } from './action.ts'
import type { Discards } from './background-removal.ts'
import type { BuildContext, BuildOptions } from './build-context.ts'
import type { Action, Executor, Run, RunResult } from './executor.ts'
import { Jobserver } from './jobserver.ts'
import { Roots } from './roots.ts'

/** What the actions that run here share. */
export interface LocalContext
  extends
    Pick<BuildContext, 'store' | 'emit' | 'now' | 'backwards'>,
    Pick<BuildOptions, 'keepFailed'> {
  readonly jobserver: Jobserver
  readonly discards: Discards
  readonly roots: Roots | undefined
}

/** What runs the actions of a build on this machine. */
export function localExecutor(
  { cores, keepFailed }: Pick<BuildOptions, 'cores' | 'keepFailed'>,
  context: Pick<BuildContext, 'store' | 'emit' | 'now' | 'backwards'>,
  discards: Discards,
): LocalExecutor {
  const { session } = context.store
  const shareRoots = (): Roots =>
    new Roots(
      () => session.temporaryPath('root'),
      (folder) => discards.take(folder),
    )
  return new LocalExecutor({
    ...context,
    keepFailed,
    jobserver: new Jobserver(cores),
    discards,
    roots: keepFailed ? undefined : shareRoots(),
  })
}

/** Runs actions on this machine. */
export class LocalExecutor implements Executor {
  readonly place = 'local'
  readonly #context: LocalContext

  constructor(context: LocalContext) {
    this.#context = context
  }

  async run(action: Action, { log, signal }: Run): Promise<RunResult> {
    const { store, jobserver, keepFailed } = this.#context
    const folder = join(await store.session.folder(), folderName(action.recipe))
    const fifo = await store.session.fifos.take()
    const share = jobserver.open(fifo)
    try {
      return await runAction(action, {
        ...this.#context,
        jobserver: fifo,
        folder,
        keptFolder: keepFailed ? store.logs.keptFolder(action.recipe) : undefined,
        log,
        signal,
      })
    } finally {
      share.close()
      store.session.fifos.drop(fifo)
    }
  }
}
