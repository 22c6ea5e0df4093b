import { FixpointError } from '../../base/error.ts'
import { knownTo } from '../../build/plan-view.ts'
import { graphOf, type Graph } from '../../plan/graph.ts'
import { plan, type Plan } from '../../plan/plan.ts'
import { Store } from '../../store/store.ts'
import { compareBuilds, type Mismatch } from '../../verify/compare-builds.ts'
import { firstDifference } from '../../verify/first-difference.ts'
import type { Engine } from '../engine.ts'
import {
  buildAgain,
  claimPlace,
  defaultPlace,
  otherCores,
  preparePlace,
  removePlace,
} from '../../verify/second-build.ts'
import { resolveTargets } from '../targets.ts'
import { conditionLines, varyConditions } from '../../verify/variations.ts'
import { buildContext, buildTargets, coresOf, sourceFinder, type BuildFlags } from './build.ts'

/** Options of `verify`. */
export interface VerifyFlags extends BuildFlags {
  /** Where the second build has its store and checkout. */
  readonly second?: string
}

/**
 * `verify TARGET…`: builds the targets a second time from an empty store, in a copy of the checkout
 * at another path, and compares every artifact above the layers that see the host. All conditions
 * that can differ on one machine do; they are listed first, as are those that do not, and why. The
 * second store is kept while builds in it fail or are interrupted, so that the next run goes on,
 * and removed once all is compared.
 */
export async function verifyCommand(
  engine: Engine,
  words: readonly string[],
  flags: VerifyFlags,
): Promise<void> {
  const metadata = await engine.metadata()
  const targets = resolveTargets(metadata, words)
  const graph = graphOf(metadata, targets)
  const store = await engine.store()
  const context = await buildContext(engine, flags)
  const place = await claimPlace(flags.second ?? defaultPlace(store), store)
  const cores = [await coresOf(engine, flags), flags.jobs ?? otherCores()] as const
  const stores = [store.root, place.store] as const
  const variations = await varyConditions({ cores, stores, isOtherUser: place.user !== undefined })
  const { conditions } = variations
  await engine.result(conditionLines(conditions), { type: 'conditions', conditions })
  const first = await buildTargets(engine, graph, targets, flags, context)
  await preparePlace(place, graph, sourceFinder(engine, context))
  await buildAgain(place, engine, targets, cores[1], variations)
  const again = await Store.open(place.store, { emit: engine.emit, now: engine.now })
  const second = plan(graph, targets, knownTo(again, engine.nameOf))
  const { same, mismatches } = compareBuilds(
    planAll(graph, store, engine),
    planAll(graph, again, engine),
  )
  if (mismatches.length > 0) {
    const lines = await Promise.all(
      mismatches.map((mismatch) => describeMismatch(mismatch, store, again)),
    )
    await again.close()
    throw new FixpointError(
      'notReproducible',
      'builds-differ',
      `Two builds differ in ${String(mismatches.length)} of ${String(same + mismatches.length)} artifacts\n  ${lines.join('\n  ')}`,
      {
        hint: `The second build is kept in "${place.folder}"`,
      },
    )
  }
  await again.close()
  if (same === 0) {
    throw new FixpointError(
      'usage',
      'nothing-to-compare',
      'Cannot verify what only host layers make: that may differ from host to host',
    )
  }
  const artifacts = targets.map(
    (id) => [id, String(second.get(id)?.artifact ?? first.plan.get(id)?.artifact)] as const,
  )
  await engine.result(
    [
      ...artifacts.map((words) => words.join(' ')),
      `identical: ${String(same)} artifacts, built twice from the sources`,
    ],
    { type: 'verified', targets: Object.fromEntries(artifacts), same },
  )
  await removePlace(place)
}

/**
 * Keys and recorded artifacts of the whole graph, also of what the targets would not need again.
 */
function planAll(graph: Graph, store: Store, engine: Engine): Plan {
  return plan(graph, [], knownTo(store, engine.nameOf))
}

async function describeMismatch(
  { recipe, what, first, second }: Mismatch,
  a: Store,
  b: Store,
): Promise<string> {
  if (what === 'key' || first === undefined || second === undefined)
    return `${recipe}: another ${what}, ${String(first)} and ${String(second)}`
  const difference = await firstDifference(
    { folder: a.treePath(first), listing: await a.tree(first) },
    { folder: b.treePath(second), listing: await b.tree(second) },
  )
  return difference === undefined
    ? `${recipe}: ${first} and ${second}`
    : `${recipe}: "${difference.path}": ${difference.what} (${String(difference.count)} entries differ)`
}
