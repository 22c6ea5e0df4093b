import { writeFile } from 'node:fs/promises'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { syncPath } from '../base/files.ts'
import { compareListings } from '../store/artifact/compare-listings.ts'
import type { IndexEntry, Origin } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import type { BuildContext } from './build-context.ts'
import type { Action, Executor, Run, RunResult } from './executor.ts'
import type { SharedResults } from './shared-results.ts'

/** What makes an artifact of an action. */
export interface Making extends Pick<BuildContext, 'store' | 'emit' | 'now' | 'indexName'> {
  readonly executor: Executor
  readonly shared: SharedResults | undefined
}

/**
 * Makes sure that an action's artifact is stored. True when the action ran. False when another
 * engine on the same store made it meanwhile: this one waits for that one. Fails with
 * `two-results`, or as {@link Executor.run} does.
 */
export async function makeArtifact(action: Action, run: Run, making: Making): Promise<boolean> {
  const { recipe, key, document } = action
  const { store, emit, now, shared } = making
  const { place } = making.executor
  const { log } = run
  const lock = await store.session.lock(key, run.signal)
  try {
    const name = making.indexName(key, document.host)
    const found = store.index.artifactOf(name)
    const origin = store.index.find(name)?.origin
    if (found !== undefined && store.blobs.has(found)) {
      emit({ type: 'action-stored', at: now(), recipe, key, artifact: found })
      return false
    }
    const started = now()
    await writeFile(log, '')
    emit({ type: 'action-start', at: started, recipe, key, log, place })
    const result = await making.executor.run(action, run)
    const differs = found !== undefined && found !== result.artifact && !document.host
    if (differs && origin === undefined) await refuse(store, action, found, result)
    const durationMs = now() - started
    await syncPath(log)
    const entry = { recipe, key, document, ...result, durationMs }
    await store.index.record(name, entry)
    const { artifact, size, cpuMs, peakMemory } = result
    const made = { artifact, size, cpuMs, peakMemory, durationMs }
    emit({ type: 'action-end', at: now(), recipe, key, ...made, place })
    // What was made here takes the place of what others say. The build stops all the same.
    if (differs && origin !== undefined) refuseOthers(entry, found, origin)
    if (!document.host) {
      shared?.compare(entry)
      // Who did not run an action does not vouch for it.
      if (entry.origin === undefined) shared?.share(entry)
    }
    return true
  } finally {
    await lock.release()
  }
}

function refuseOthers(entry: IndexEntry, said: Digest, others: Origin): never {
  const { recipe, artifact } = entry
  throw new FixpointError(
    'two-results',
    `Cannot accept ${recipe}: built ${placeOf(entry.origin)} it is ${artifact}, ` +
      `${sayersOf(others).join(', ')} says ${said}`,
    { facts: { recipe } },
  )
}

function placeOf(origin: Origin | undefined): string {
  return origin === undefined ? 'here' : `by ${sayersOf(origin).join(', ')}`
}

/** Who said what an action gave. */
function sayersOf(origin: Origin): string[] {
  return 'remote' in origin
    ? [`worker "${origin.worker}" of "${origin.remote}"`]
    : [...origin.signers, `cache "${origin.cache}"`]
}

/** One key, two results: both stay, neither is trusted. */
async function refuse(
  store: Store,
  { recipe }: Action,
  earlier: Digest,
  { artifact: later, origin }: RunResult,
): Promise<never> {
  const by = origin === undefined ? '' : ` by ${sayersOf(origin).join(', ')}`
  const listing = store.trees.knownListing(earlier) ?? []
  const first = compareListings(listing, await store.trees.listing(later))[0]
  const where =
    listing.length > 0 && first !== undefined ? `; the first difference is in "${first.path}"` : ''
  throw new FixpointError(
    'two-results',
    `Cannot accept ${recipe}: built again${by} it gave ${later}, recorded is ${earlier}${where}`,
    { facts: { recipe, areBothKept: true } },
  )
}
