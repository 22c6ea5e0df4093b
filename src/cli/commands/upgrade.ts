import { upgrade } from '../../author/upgrade.ts'
import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { findNewest } from '../../fetch/versions/newer.ts'
import { loadAll } from '../../metadata/load.ts'
import { buildContext } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange, SUITES } from '../defaults.ts'
import { resolveTarget } from '../targets.ts'

/** Options of `upgrade`. */
export interface UpgradeFlags {
  readonly suite?: readonly string[]
}

/**
 * `upgrade RECIPE [VERSION]`: another version, by default the newest, with the digests of its
 * sources. Fails with `upgrade-unknown` where no list says which is the newest,
 * and with `versions-unavailable` where one should, and did not.
 */
export async function upgradeCommand(
  command: CommandContext,
  word: string,
  wanted: string | undefined,
  { suite: suites = SUITES }: UpgradeFlags,
): Promise<void> {
  const layers = layersToChange(command.options.layers)
  const recipe = resolveTarget(await command.metadata(), word)
  const version = wanted ?? (await newestVersion(command, recipe, suites))
  const { fetcher } = await buildContext(command, {})
  const done = await upgrade({
    ...{ recipe, version, fetcher },
    load: () => loadAll(layers),
    signal: command.signal,
  })
  await command.result(
    [
      `${recipe}: ${done.from} -> ${done.to} in "${done.file}"`,
      ...done.sources.map(({ name, sha256 }) => `${sha256}  ${name}`),
      'Nobody has compared the digests yet: do that with what its makers publish',
    ],
    { type: 'upgraded', recipe, ...done },
  )
}

async function newestVersion(
  command: CommandContext,
  id: RecipeId,
  suites: readonly string[],
): Promise<string> {
  const recipe = (await command.metadata()).recipes.get(id)
  if (recipe === undefined) throw new TypeError(`"${id}" is no recipe`)
  const { debian, npm } = await command.configuration()
  const newest = await findNewest(recipe, { debian, npm, suites, signal: command.signal })
  if ('unknown' in newest)
    throw new FixpointError(
      newest.isFailure ? 'versions-unavailable' : 'upgrade-unknown',
      `Cannot tell the newest version of ${id}: ${newest.unknown}`,
    )
  if (newest.version === recipe.version)
    throw new FixpointError(
      'upgrade-same',
      `Cannot upgrade ${id}: its version ${recipe.version} is the newest`,
    )
  return newest.version
}
