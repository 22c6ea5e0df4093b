import { FixpointError } from '../base/error.ts'
import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { BuildContext } from '../build/build-context.ts'
import type { Builder } from '../build/build.ts'
import { sourceFinder } from '../fetch/find-source.ts'
import { nodeOf, usedBy, type Graph } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { planOn } from '../store/plan-view.ts'
import { Store } from '../store/store.ts'
import { compareBuilds, type Mismatch } from './compare-builds.ts'
import { firstDifference } from './first-difference.ts'
import { lendInputs } from './lend-inputs.ts'
import {
  claimSecondBuild,
  defaultSecondFolder,
  prepareSecondBuild,
  RECEIPTS,
  removeSecondBuild,
  runSecondBuild,
  type SecondBuild,
} from './second-build.ts'
import { varyConditions, type Condition } from './variations.ts'

/** What is built twice, and by whom. */
export interface VerifyRequest {
  readonly graph: Graph
  readonly targets: readonly RecipeId[]
  /** Works with the first build's store. */
  readonly context: BuildContext
  /** Does the first build. */
  readonly build: Builder
  /** True: only the targets are built again, from artifacts of the first store. */
  readonly alone: boolean
  /** Where the second build is done; undefined: in the default place. */
  readonly folder: string | undefined
  /** Cores of both builds. */
  readonly cores: readonly [first: number, second: number]
  /** Checkout of the engine. */
  readonly checkout: string
  /** The layers.yaml of both builds. */
  readonly layers: string
  /** Value of PATH. */
  readonly path: string
  /** Gets the conditions before the builds begin. */
  readonly onConditions: (conditions: readonly Condition[]) => Promise<void>
  /** Takes the second build's receipts out of a folder; undefined: it writes none. */
  readonly takeReceipts: ((root: string, name: string) => Promise<void>) | undefined
  readonly signal: AbortSignal
}

/** Two builds that gave the same bytes. */
export interface Verified {
  readonly artifacts: readonly (readonly [RecipeId, Digest])[]
  /** Artifacts that were compared. */
  readonly same: number
}

/**
 * Builds targets a second time from an empty store, in a copy of the checkout at another path, and
 * compares every artifact above the layers that see the host, or with `alone` those of the targets.
 * All conditions that can differ on one machine do. The second store is kept while builds in it
 * fail or are interrupted, so that the next run goes on; it is removed after the comparison. Fails
 * with `builds-differ`, as {@link claimSecondBuild} does, and before anything is built with
 * `only-host-layers`.
 */
export async function verifyTargets(request: VerifyRequest): Promise<Verified> {
  const { alone, checkout, layers } = request
  requireComparable(request)
  const first = request.context.store
  const folder = request.folder ?? defaultSecondFolder(first)
  const second = await claimSecondBuild({ folder, first, alone, checkout, layers })
  try {
    return await verifyIn(second, request)
  } finally {
    await second.lock.release()
  }
}

/** What sees the host is not compared: it may differ from host to host. */
function requireComparable({ graph, targets, alone }: VerifyRequest): void {
  const compared = alone ? targets : [...graph.nodes.keys()]
  if (compared.some((id) => !nodeOf(graph.nodes, id).recipe.host)) return
  throw new FixpointError(
    'only-host-layers',
    'Cannot verify what only host layers make: that may differ from host to host',
  )
}

async function verifyIn(second: SecondBuild, request: VerifyRequest): Promise<Verified> {
  const { graph, targets, alone, context, signal } = request
  const { store } = context
  const variations = await varyConditions({
    cores: request.cores,
    stores: [store.root, second.store],
    sameUser: second.sameUser,
  })
  await request.onConditions(variations.conditions)
  // The inputs of a stored target may be gone, and lending needs them: build them, too.
  const wanted = alone ? [...new Set([...targets, ...inputsOf(request)])] : targets
  const first = await request.build(graph, wanted, context)
  const find = sourceFinder(store, context.fetcher, signal)
  if (alone) await lend(request, second)
  const nodes = alone ? targets.map((id) => nodeOf(graph.nodes, id)) : [...graph.nodes.values()]
  await prepareSecondBuild(second, request.checkout, nodes, find, signal)
  const hasImage = targets.some((id) => graph.nodes.get(id)?.recipe.image === true)
  const cores = request.cores[1]
  const { takeReceipts } = request
  const writesReceipts = takeReceipts !== undefined
  await runSecondBuild(second, { ...request, hasImage, writesReceipts, cores, variations }, signal)
  await takeReceipts?.(second.store, RECEIPTS)
  const verified = await compareStores(request, first.plan, second)
  await removeSecondBuild(second)
  return verified
}

function inputsOf({ graph, targets }: VerifyRequest): RecipeId[] {
  return targets.flatMap((id) => usedBy(nodeOf(graph.nodes, id)))
}

/** Puts what the targets are built from into the second store. */
async function lend(request: VerifyRequest, second: SecondBuild): Promise<void> {
  const { graph, targets, context, signal } = request
  const { emit, now } = context
  const store = await Store.open(second.store, { emit, now })
  // As targets: the plan looks for artifacts of host layers only where they are used.
  const plan = planOn(context, graph, [...targets, ...inputsOf(request)])
  try {
    await lendInputs(graph, targets, plan, context, store, signal)
  } finally {
    await store.session.close()
  }
}

async function compareStores(
  { graph, targets, alone, context }: VerifyRequest,
  first: Plan,
  second: SecondBuild,
): Promise<Verified> {
  const { indexName, emit, now } = context
  const store = await Store.open(second.store, { emit, now })
  try {
    const again = { store, indexName }
    // Without targets, a plan has keys and artifacts of the whole graph.
    const [one, other] = [planOn(context, graph, []), planOn(again, graph, [])]
    const { same, mismatches } = compareBuilds(alone ? only(one, targets) : one, other)
    if (mismatches.length > 0)
      throw await differ(mismatches, same, context.store, store, second.folder)
    const plan = planOn(again, graph, targets)
    const artifacts = targets.flatMap((id) => {
      const artifact = plan.get(id)?.artifact ?? first.get(id)?.artifact
      return artifact === undefined ? [] : [[id, artifact] as const]
    })
    return { artifacts, same }
  } finally {
    await store.session.close()
  }
}

function only(plan: Plan, ids: readonly RecipeId[]): Plan {
  return new Map([...plan].filter(([id]) => ids.includes(id)))
}

async function differ(
  mismatches: readonly Mismatch[],
  same: number,
  first: Store,
  second: Store,
  folder: string,
): Promise<FixpointError> {
  const lines = await Promise.all(
    mismatches.map((mismatch) => describeMismatch(mismatch, first, second)),
  )
  const counts = `${mismatches.length} of ${same + mismatches.length} artifacts`
  return new FixpointError(
    'builds-differ',
    `Two builds differ in ${counts}\n  ${lines.join('\n  ')}`,
    { facts: { folder } },
  )
}

async function describeMismatch(
  { recipe, what, first, second }: Mismatch,
  a: Store,
  b: Store,
): Promise<string> {
  if (what === 'key' || first === undefined || second === undefined)
    return `${recipe}: another ${what}, ${String(first)} and ${String(second)}`
  const difference = await firstDifference(
    await a.trees.unpack(first),
    await b.trees.unpack(second),
  )
  if (difference === undefined) return `${recipe}: ${first} and ${second}`
  const { path, what: how, count } = difference
  return `${recipe}: "${path}": ${how} (${count} entries differ)`
}
