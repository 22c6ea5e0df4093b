import { combineFailures, FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { build, type BuildContext, type BuildResult } from '../../build/build.ts'
import { knownTo } from '../../build/plan-view.ts'
import { createFetcher } from '../../fetch/fetcher.ts'
import { makeManifest } from '../../image/manifest.ts'
import { graphOf, type Graph } from '../../plan/graph.ts'
import { plan, type Plan } from '../../plan/plan.ts'
import { requireSandbox } from '../../sandbox/probe.ts'
import type { SourceFinder } from '../../verify/list-seeds.ts'
import { requireClock } from '../../build/clock.ts'
import { defaultCores, defaultMemory, type Engine } from '../engine.ts'
import { exportImage } from '../../image/put.ts'
import { mirrorFolders, missingMirrors } from '../../image/mirrors.ts'
import { explainFailure } from '../view/explain-failure.ts'
import { requireOwnStore } from '../../build/store-owner.ts'
import { resolveTargets } from '../targets.ts'

/** Options of `build`. */
export interface BuildFlags {
  readonly jobs?: number
  readonly memory?: number
  readonly keepGoing?: boolean
  readonly keepFailed?: boolean
  readonly dryRun?: boolean
  readonly offline?: boolean
  readonly mirror?: readonly string[]
  readonly output?: string
  readonly withoutMirror?: boolean
}

/**
 * `build [TARGET…]`: makes sure the targets are in the store; images are put into the output folder
 * too.
 */
export async function buildCommand(
  engine: Engine,
  words: readonly string[],
  flags: BuildFlags,
): Promise<void> {
  const metadata = await engine.metadata()
  const targets = resolveTargets(metadata, words)
  if (
    flags.output !== undefined &&
    !targets.some((id) => metadata.recipes.get(id)?.image === true)
  ) {
    throw new FixpointError(
      'usage',
      'no-image',
      `Cannot put an image into "${flags.output}": no target is an image`,
      {
        hint: 'Other artifacts stay in the store',
      },
    )
  }
  const graph = graphOf(metadata, targets, { mirrors: flags.withoutMirror !== true })
  const store = await engine.store()
  if (flags.dryRun === true) {
    await printPlan(engine, plan(graph, targets, knownTo(store, engine.nameOf)))
    return
  }
  const context = await buildContext(engine, flags)
  const result = await buildTargets(engine, graph, targets, flags, context)
  for (const id of targets) {
    const { artifact, node } = planned(result.plan, id)
    // Nothing ran and nothing failed, and yet it is not there: never to be taken for success.
    if (artifact === undefined)
      throw new FixpointError(
        'bug',
        'not-built',
        `Cannot build ${id}: its key never came to be known`,
      )
    const files = node.recipe.image
      ? await exportImage(
          engine,
          result.plan,
          id,
          flags.output ?? 'out',
          sourceFinder(engine, context),
        )
      : []
    await engine.result([`${id} ${artifact}`, ...files], {
      type: 'target',
      recipe: id,
      artifact,
      files,
    })
  }
}

/** Builds targets of a graph; throws what failed, after everything that could be done was done. */
export async function buildTargets(
  engine: Engine,
  graph: Graph,
  targets: readonly RecipeId[],
  flags: BuildFlags,
  context: BuildContext,
): Promise<BuildResult> {
  const states = [...plan(graph, targets, knownTo(context.store, engine.nameOf)).values()].map(
    ({ state }) => state,
  )
  if (states.some((state) => state === 'ready')) {
    requireClock()
    requireSandbox()
    await requireOwnStore(context.store.root)
  }
  const result = await build(
    graph,
    targets,
    {
      cores: await coresOf(engine, flags),
      memory: flags.memory ?? defaultMemory(),
      keepGoing: flags.keepGoing ?? false,
      keepFailed: flags.keepFailed ?? false,
      signal: engine.signal,
    },
    context,
  )
  // As it was before: what was used on the way is not looked at again once the targets are there.
  const stored = states.filter((state) => state === 'stored').length
  engine.emit({
    type: 'done',
    at: engine.now(),
    ran: result.ran.length,
    stored,
    failed: result.failures.size,
    skipped: result.skipped.length,
  })
  await engine.settle()
  if (result.failures.size > 0)
    throw combineFailures(
      [...result.failures].map(([id, error]) => explainFailure(id, error, engine.options, flags)),
    )
  return result
}

/** Cores that all actions of a build use together. */
export async function coresOf(engine: Engine, flags: BuildFlags): Promise<number> {
  return flags.jobs ?? (await engine.configuration()).jobs ?? defaultCores()
}

/**
 * What the build module works with, from configuration and flags. Once a command: an image that
 * serves as a mirror is unpacked for it.
 */
export async function buildContext(engine: Engine, flags: BuildFlags): Promise<BuildContext> {
  const store = await engine.store()
  const { mirrors, debian, npm } = await engine.configuration()
  const { emit, now, nameOf } = engine
  const from = await mirrorFolders(flags.mirror ?? [], store, engine.signal)
  for (const folder of await missingMirrors(mirrors))
    emit({
      type: 'warning',
      at: now(),
      message: `The mirror folder "${folder}" of the configuration is not there`,
    })
  const fetcher = createFetcher({
    store,
    emit,
    now,
    from,
    mirrors,
    debian,
    npm,
    offline: flags.offline,
  })
  // The second build of `verify` sets it.
  const backwards = process.env['FIXPOINT_BACKWARDS'] !== undefined
  return { store, fetcher, nameOf, makeManifest, emit, now, backwards }
}

/**
 * Puts sources into the store as they are asked for, and tells where they lie, their digests
 * checked.
 */
export function sourceFinder(engine: Engine, { store, fetcher }: BuildContext): SourceFinder {
  return async (source) => {
    await fetcher.fetch(source, engine.signal)
    await store.checkBlob(source.sha256)
    return store.blobPath(source.sha256)
  }
}

function planned(current: Plan, id: RecipeId): NonNullable<ReturnType<Plan['get']>> {
  const found = current.get(id)
  if (found === undefined) throw new TypeError(`"${id}" is not in the plan`)
  return found
}

/**
 * Prints what a build would do, in the order of the graph: only what is known, and what it depends
 * on where it is not.
 */
async function printPlan(engine: Engine, current: Plan): Promise<void> {
  for (const [recipe, { state, waitsFor }] of current) {
    if (state === 'unneeded') continue
    const words =
      state === 'stored'
        ? 'stored'
        : state === 'waits'
          ? `may run, waits for ${waitsFor.join(', ')}`
          : 'will run'
    await engine.result([`${recipe}: ${words}`], { type: 'planned', recipe, state, waitsFor })
  }
}
