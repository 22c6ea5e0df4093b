import { upgrade } from '../../author/upgrade.ts'
import { loadAll } from '../../metadata/load.ts'
import { buildContext } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange } from '../defaults.ts'
import { resolveTarget } from '../targets.ts'

/** `upgrade RECIPE VERSION`: another version, with the digests of its sources. */
export async function upgradeCommand(
  command: CommandContext,
  word: string,
  version: string,
): Promise<void> {
  const layers = layersToChange(command.options.layers)
  const recipe = resolveTarget(await command.metadata(), word)
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
