import { combineFailures } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { build, type BuildResult } from '../build/build.ts'
import type { BuildContext } from '../build/build-context.ts'
import { createFetcher } from '../fetch/fetcher.ts'
import type { NewSources } from '../fetch/ports.ts'
import { sourceFinder, type SourceFinder } from '../fetch/find-source.ts'
import { mirrorFolders, missingMirrors } from '../image/mirrors.ts'
import type { Graph } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { configuredCaches, sharedBy, type CacheFlags } from './caches.ts'
import type { CommandContext } from './context.ts'
import { defaultCores, defaultMemory } from './defaults.ts'
import { configuredRemote, type RemoteFlags } from './remote.ts'
import { receiptTarget, withReceipts, type ReceiptFlags } from './receipts.ts'
import { explainFailure } from './view/explain-failure.ts'

/** Options of commands that build. */
export interface BuildFlags extends CacheFlags, ReceiptFlags, RemoteFlags {
  readonly jobs?: number
  readonly memory?: number
  readonly keepGoing?: boolean
  readonly keepFailed?: boolean
  readonly mirror?: readonly string[]
}

/**
 * Builds targets of a graph; throws what failed, after everything that could be done was done.
 * `hasOwnStore`: nothing but this build, and earlier runs of it, built in the store.
 */
export async function buildTargets(
  command: CommandContext,
  graph: Graph,
  targets: readonly RecipeId[],
  flags: BuildFlags,
  context: BuildContext,
  { hasOwnStore = false }: { readonly hasOwnStore?: boolean } = {},
): Promise<BuildResult> {
  const options = {
    cores: await coresOf(command, flags),
    memory: flags.memory ?? defaultMemory(),
    keepGoing: flags.keepGoing ?? false,
    keepFailed: flags.keepFailed ?? false,
    remoteOnly: flags.remoteOnly ?? false,
    signal: command.signal,
  }
  const target = await receiptTarget(flags)
  const run = (given: BuildContext): Promise<BuildResult> => build(graph, targets, options, given)
  const result = await (target === undefined
    ? run(context)
    : withReceipts(command, target, graph, context, hasOwnStore, run))
  await command.settle()
  if (result.failures.size === 0) return result
  throw combineFailures(
    [...result.failures].map(([id, error]) => explainFailure(id, error, flags, targets)),
  )
}

/** Cores that all actions of a build use together. */
export async function coresOf(command: CommandContext, flags: BuildFlags): Promise<number> {
  const { jobs } = await command.configuration()
  return flags.jobs ?? jobs ?? (await command.project()).jobs ?? defaultCores()
}

/**
 * What a build works with, from configuration and flags. Called once by each command: it unpacks an
 * image that serves as a mirror. Results of others, and other machines, are used with `share` only:
 * who rebuilds or verifies is to build.
 */
export async function buildContext(
  command: CommandContext,
  flags: BuildFlags,
  { share = false } = {},
): Promise<BuildContext & { readonly fetcher: NewSources }> {
  const store = await command.store()
  const { mirrors: own, debian, npm } = await command.configuration()
  const mirrors = [...own, ...(await command.project()).mirrors]
  const { emit, now, indexName, signal } = command
  const from = await mirrorFolders(flags.mirror ?? [], store, signal)
  for (const folder of await missingMirrors(mirrors)) {
    const message = `The mirror folder "${folder}" of the configuration or the project is missing`
    emit({ type: 'warning', at: now(), message })
  }
  const { offline } = flags
  const caches = await configuredCaches(command, store, flags)
  const places = caches && (async () => (await caches()).readers.caches)
  const base = { store, emit, now, offline }
  const fetcher = createFetcher({ ...base, from, mirrors, debian, npm, caches: places })
  const shared = share ? sharedBy(caches, store) : undefined
  const remote = share ? await configuredRemote(command, store, flags) : undefined
  // The second build of `verify` sets it.
  const backwards = process.env['FIXPOINT_BACKWARDS'] !== undefined
  return { store, fetcher, shared, remote, indexName, emit, now, backwards }
}

/** Finds sources in the command's store, and fetches those that are missing. */
export function findSources(command: CommandContext, context: BuildContext): SourceFinder {
  return sourceFinder(context.store, context.fetcher, command.signal)
}

/** Puts an image that was built into `folder`, with its record; see {@link putImage}. */
export async function putBuiltImage(
  command: CommandContext,
  plan: Plan,
  id: RecipeId,
  folder: string,
  context: BuildContext,
): Promise<string[]> {
  const { putImage } = await import('../image/put.ts')
  const find = findSources(command, context)
  const paths = await putImage(plan, id, folder, {
    ...context,
    signal: command.signal,
    listSeeds: async (sources) => {
      const { listSeeds } = await import('../verify/list-seeds.ts')
      return listSeeds(sources, { ...context, find })
    },
  })
  await command.settle()
  return paths
}
