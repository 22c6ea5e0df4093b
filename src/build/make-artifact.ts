import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { syncPath } from '../base/files.ts'
import { folderName } from '../base/recipe-id.ts'
import { compareListings } from '../store/artifact/compare-listings.ts'
import type { IndexEntry, Origin } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import { runAction } from './action.ts'
import type { Discards } from './background-removal.ts'
import type { BuildContext, BuildOptions } from './build-context.ts'
import type { Action, ActionResult } from './executor.ts'
import type { Jobserver } from './jobserver.ts'
import type { Roots } from './roots.ts'
import type { SharedResults } from './shared-results.ts'

/** What the actions of a build share. */
export interface ActionContext
  extends Omit<BuildContext, 'fetcher' | 'shared'>, Pick<BuildOptions, 'keepFailed' | 'signal'> {
  readonly jobserver: Jobserver
  readonly discards: Discards
  readonly roots: Roots | undefined
  readonly shared: SharedResults | undefined
}

/**
 * Makes sure that an action's artifact is stored. Writes to `log`. True when the action ran. False
 * when another engine on the same store made it meanwhile: this one waits for that one. Fails with
 * `two-results`, or as {@link runAction} does.
 */
export async function makeArtifact(
  action: Action,
  log: string,
  context: ActionContext,
): Promise<boolean> {
  const { recipe, key, document } = action
  const { store, emit, now } = context
  const lock = await store.session.lock(key, context.signal)
  try {
    const name = context.indexName(key, document.host)
    const found = store.index.artifactOf(name)
    const origin = store.index.find(name)?.origin
    if (found !== undefined && store.blobs.has(found)) {
      emit({ type: 'action-stored', at: now(), recipe, key, artifact: found })
      return false
    }
    const started = now()
    await writeFile(log, '')
    emit({ type: 'action-start', at: started, recipe, key, log })
    const result = await run(action, log, context)
    const differs = found !== undefined && found !== result.artifact && !document.host
    if (differs && origin === undefined) await refuse(store, action, found, result.artifact)
    const durationMs = now() - started
    await syncPath(log)
    const entry = { recipe, key, document, ...result, durationMs }
    await store.index.record(name, entry)
    emit({ type: 'action-end', at: now(), recipe, key, ...result, durationMs })
    // What was made here takes the place of what others say. The build stops all the same.
    if (differs && origin !== undefined) refuseOthers(entry, found, origin)
    if (!document.host) {
      context.shared?.compare(entry)
      context.shared?.share(entry)
    }
    return true
  } finally {
    await lock.release()
  }
}

async function run(action: Action, log: string, context: ActionContext): Promise<ActionResult> {
  const { store } = context
  const folder = join(await store.session.folder(), folderName(action.recipe))
  const fifo = await store.session.fifos.take()
  const share = context.jobserver.open(fifo)
  try {
    return await runAction(action, {
      ...context,
      jobserver: fifo,
      folder,
      keptFolder: context.keepFailed ? store.logs.keptFolder(action.recipe) : undefined,
      log,
    })
  } finally {
    share.close()
    store.session.fifos.drop(fifo)
  }
}

function refuseOthers({ recipe, artifact }: IndexEntry, said: Digest, origin: Origin): never {
  const { cache, signers } = origin
  throw new FixpointError(
    'two-results',
    `Cannot accept ${recipe}: built here it is ${artifact}, ` +
      `${[...signers, `cache "${cache}"`].join(', ')} says ${said}`,
    { facts: { recipe } },
  )
}

/** One key, two results: both stay, neither is trusted. */
async function refuse(
  store: Store,
  { recipe }: Action,
  earlier: Digest,
  later: Digest,
): Promise<never> {
  const listing = store.trees.knownListing(earlier) ?? []
  const first = compareListings(listing, await store.trees.listing(later))[0]
  const where =
    listing.length > 0 && first !== undefined ? `; the first difference is in "${first.path}"` : ''
  throw new FixpointError(
    'two-results',
    `Cannot accept ${recipe}: built again it gave ${later}, recorded is ${earlier}${where}`,
    { facts: { recipe } },
  )
}
