import { counted } from '../../base/format.ts'
import { combineFailures, FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { graphOf } from '../../plan/graph.ts'
import type { Checked, CheckedTarget } from '../../remote/check-target.ts'
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
  const { results, added, repaired, others, bytes } = pushed
  await command.result(
    [
      `results in the cache: ${String(results)}, ${String(added)} of them new`,
      ...(repaired > 0 ? [`repaired, since bytes were missing or damaged: ${repaired}`] : []),
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
  const names = missing.map(({ node: { recipe } }) => {
    return `${recipe.id}${describeShort(shared.signersOf(recipe.id), caches.readers.need)}`
  })
  const failed = caches.readers.caches.flatMap(({ cache, failure }) => {
    return failure === undefined ? [] : [`; cache "${cache.shown}" failed`]
  })
  throw new FixpointError(
    'cache-unread',
    `Cannot pull ${targets.join(', ')}: not shared: ${names.join(', ')}${failed.join('')}`,
    { facts: { targets } },
  )
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
  for (const result of checked.results) {
    const { recipe, signers, missing, incomplete } = result
    const names = signers.map((name) => name ?? 'not signed')
    const line = `${recipe}: ${describeChecked(result, readers.need)}`
    await command.result([line], { type: 'checked', recipe, signers: names, missing, incomplete })
  }
  const shared = checked.results.filter(({ signers, incomplete }) => {
    return signers.length >= readers.need && incomplete.length === 0
  }).length
  const results = checked.results.length
  await command.result(
    [
      results === 0
        ? `checked: nothing, no result of ${targets.join(', ')} is stored here`
        : `checked: ${counted(results, 'stored result')}, in caches: ${String(shared)}`,
    ],
    { type: 'cache-checked', results, shared },
  )
  requireSound(checked, targets)
}

/** What a check found of one result. */
function describeChecked(checked: Checked, need: number): string {
  const { signers, missing, incomplete, isComplete } = checked
  const names = signers.map((name) => name ?? 'not signed').join(', ')
  const less = isComplete ? 'not in a cache' : 'not known, since a cache failed'
  const short = missing.length > 0 && signers.length < need
  return [
    names === '' ? less : `the same: ${names}`,
    ...(short && names !== '' ? [`no record of ${missing.join(', ')}`] : []),
    ...(short && names !== '' ? [needed(signers.length, need)] : []),
    ...incomplete.map((place) => `bytes missing or of another size in "${place}"`),
  ].join('; ')
}

/** Who signed a result that too few did, for a list. */
function describeShort(signers: readonly string[], need: number): string {
  return signers.length === 0
    ? ''
    : ` (signed by ${signers.join(', ')}; ${needed(signers.length, need)})`
}

function needed(signers: number, need: number): string {
  return `${String(need - signers)} more must sign`
}

/** Fails with `cache-unread` for caches that failed, and with `cache-damaged`. */
function requireSound({ results, failed, refused }: CheckedTarget, targets: RecipeId[]): void {
  const failures: FixpointError[] = []
  if (failed.length > 0) {
    const message = `Cannot check ${targets.join(', ')}: ${failed.join('; ')}`
    failures.push(new FixpointError('cache-unread', message))
  }
  const [recipe, ...others] = results
    .filter(({ incomplete }) => incomplete.length > 0)
    .map((result) => result.recipe)
  const damaged = [
    ...refused.map((reason) => `unusable records: ${reason}`),
    ...(recipe === undefined
      ? []
      : [`bytes are missing or have another size: ${[recipe, ...others].join(', ')}`]),
  ]
  if (damaged.length > 0) {
    const message = `Cannot rely on all of the caches: ${damaged.join('; ')}`
    const facts = recipe === undefined ? {} : { recipe }
    failures.push(new FixpointError('cache-damaged', message, { facts }))
  }
  if (failures.length > 0) throw combineFailures(failures)
}

async function cachesOf(command: CommandContext): Promise<OpenCaches> {
  const caches = await configuredCaches(command, await command.store(), {}, { outcome: undefined })
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
