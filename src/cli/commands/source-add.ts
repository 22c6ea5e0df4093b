import { sourceAdd } from '../../author/source-add.ts'
import { loadLayout } from '../../metadata/load.ts'
import { buildContext } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange } from '../defaults.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `source add`. */
export interface SourceAddFlags {
  readonly name?: string
  readonly layer?: string
}

/** `source add PLACE`: fetches a file and writes a recipe for it, to be filled in. */
export async function sourceAddCommand(
  command: CommandContext,
  place: string,
  { name, layer }: SourceAddFlags,
): Promise<void> {
  const layout = loadLayout(layersToChange(command.options.layers))
  const [store, { fetcher }] = [await command.store(), await buildContext(command, {})]
  const context = { layout, store, fetcher, signal: command.signal }
  const added = await sourceAdd({ place, name, layer }, context)
  await command.result(
    [
      `${added.file}: ${added.name} ${added.version}, ${formatBytes(added.size)}`,
      `${added.sha256}  nobody has compared it yet: do that with what its makers publish`,
    ],
    { type: 'source-added', ...added },
  )
}
