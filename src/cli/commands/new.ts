import { join, resolve } from 'node:path'
import { newLayer, newRecipe } from '../../author/new.ts'
import { loadAll } from '../../metadata/load.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange, OWN_LAYERS } from '../defaults.ts'
import { resolveTargets } from '../targets.ts'

/** Options of `new recipe` and `new image`. */
export interface NewFlags {
  readonly layer?: string
  readonly style?: string
}

/** `new layer NAME [FOLDER]`: a folder `layers` with one layer, on top of the engine's own. */
export async function newLayerCommand(
  command: CommandContext,
  name: string,
  folder: string,
): Promise<void> {
  const file = await newLayer(resolve(join(folder, 'layers')), name, OWN_LAYERS)
  await tell(command, file)
}

/** `new recipe NAME`: a recipe to fill in. */
export async function newRecipeCommand(
  command: CommandContext,
  name: string,
  { layer, style = 'plain' }: NewFlags,
): Promise<void> {
  const loaded = await loadAll(layersToChange(command.options.layers))
  await tell(command, await newRecipe(loaded, name, layer, { kind: 'recipe', style }))
}

/** `new image NAME [RECIPE…]`: the image tiny, with further packages. */
export async function newImageCommand(
  command: CommandContext,
  name: string,
  words: readonly string[],
  { layer }: NewFlags,
): Promise<void> {
  const loaded = await loadAll(layersToChange(command.options.layers))
  const contents = resolveTargets(loaded.metadata, words)
  await tell(command, await newRecipe(loaded, name, layer, { kind: 'image', contents }))
}

async function tell(command: CommandContext, file: string): Promise<void> {
  await command.result([file], { type: 'new', file })
}
