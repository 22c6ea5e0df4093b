import { FixpointError } from '../../base/error.ts'
import { graphOf } from '../../plan/graph.ts'
import type { OpenCaches } from '../../remote/open.ts'
import { configuredCaches } from '../caches.ts'
import type { CommandContext } from '../context.ts'
import { resolveTargets } from '../targets.ts'
import { formatBytes } from '../view/format.ts'

/** `cache keygen FILE`: makes a signer's key; prints the line for `keys:`. */
export async function cacheKeygenCommand(command: CommandContext, file: string): Promise<void> {
  const { makeKey } = await import('../../remote/keys.ts')
  const key = await makeKey(file)
  await command.result([key], { type: 'signer', key })
}

/** Options of `cache push`. */
export interface PushFlags {
  readonly sources?: boolean
}

/** `cache push TARGET…`: writes what this store made of them to the cache. */
export async function cachePushCommand(
  command: CommandContext,
  words: readonly string[],
  flags: PushFlags,
): Promise<void> {
  const { pushTarget } = await import('../../remote/push-target.ts')
  const metadata = await command.metadata()
  const targets = resolveTargets(metadata, words)
  const { writer } = await cachesOf(command)
  if (writer === undefined) throw noCache('written to')
  const store = await command.store()
  const plan = await command.plan(graphOf(metadata, targets), targets)
  const withSources = flags.sources === true
  const pushed = await pushTarget(plan, withSources, writer, store, command.signal)
  const { results, added, others, bytes } = pushed
  await command.result(
    [
      `results in the cache: ${String(results)}, ${String(added)} of them new`,
      `sent: ${formatBytes(bytes)}`,
      ...(others > 0 ? [`left out, since others made them: ${String(others)}`] : []),
    ],
    { type: 'pushed', ...pushed },
  )
}

/** `cache pull TARGET…`: brings them from the cache; builds nothing. */
export async function cachePullCommand(
  command: CommandContext,
  words: readonly string[],
): Promise<void> {
  const { pull } = await import('../../build/pull.ts')
  const { shareBy } = await import('../../remote/open.ts')
  const metadata = await command.metadata()
  const targets = resolveTargets(metadata, words)
  const caches = await readersOf(command)
  const store = await command.store()
  const view = { store, indexName: command.indexName }
  const shared = shareBy({ ...caches, writer: undefined }, store)
  const plan = await pull(graphOf(metadata, targets), targets, shared, view, command.signal)
  for (const recipe of targets) {
    const { artifact, state } = plan.get(recipe) ?? {}
    if (artifact === undefined || state !== 'stored') continue
    await command.result([`${recipe} ${artifact}`], { type: 'pulled', recipe, artifact })
  }
  const missing = [...plan.values()].filter(({ state, node }) => {
    return !node.recipe.host && (state === 'ready' || state === 'blocked')
  })
  if (targets.every((id) => plan.get(id)?.state === 'stored')) return
  const names = missing.map(({ node }) => node.recipe.id).join(', ')
  throw new FixpointError('cache-unread', `Cannot pull ${targets.join(', ')}: not shared: ${names}`)
}

/** `cache check TARGET…`: compares what is stored with what every signer says of it. */
export async function cacheCheckCommand(
  command: CommandContext,
  words: readonly string[],
): Promise<void> {
  const { checkTarget } = await import('../../remote/check-target.ts')
  const metadata = await command.metadata()
  const targets = resolveTargets(metadata, words)
  const { readers } = await readersOf(command)
  const plan = await command.plan(graphOf(metadata, targets), targets)
  const checked = await checkTarget(plan, readers, await command.store(), command.signal)
  for (const { recipe, signers } of checked) {
    const names = signers.map((name) => name ?? 'not signed')
    const said = names.length > 0 ? `the same: ${names.join(', ')}` : 'not in a cache'
    await command.result([`${recipe}: ${said}`], { type: 'checked', recipe, signers: names })
  }
}

async function cachesOf(command: CommandContext): Promise<OpenCaches> {
  const caches = await configuredCaches(command, await command.store(), {})
  if (caches === undefined) throw noCache('used')
  return caches()
}

async function readersOf(command: CommandContext): Promise<OpenCaches> {
  const caches = await cachesOf(command)
  if (caches.readers.caches.length === 0) throw noCache('read')
  return caches
}

function noCache(what: string): FixpointError {
  return new FixpointError('no-cache', `Cannot find a cache that is ${what}: none is configured`)
}
