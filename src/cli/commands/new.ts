import { join, resolve } from 'node:path'
import { NO_START } from '../../author/build-lines.ts'
import { newLayer, newRecipe } from '../../author/new.ts'
import { FixpointError } from '../../base/error.ts'
import { exists } from '../../base/files.ts'
import { loadAll, loadLayout } from '../../metadata/load.ts'
import type { Layout } from '../../metadata/tree/layers.ts'
import { readStyles } from '../../metadata/tree/styles.ts'
import { Faults } from '../../metadata/yaml/faults.ts'
import { suggestion } from '../../metadata/yaml/suggest.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange, OWN_LAYERS } from '../defaults.ts'
import { resolveTarget, resolveTargets } from '../targets.ts'

/** Options of `new recipe`. */
export interface NewRecipeFlags {
  readonly layer?: string
  readonly style?: string
}

/** Options of `new image`. */
export interface NewImageFlags {
  readonly layer?: string
  readonly extends?: string
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

/** `new recipe NAME`: a recipe to fill in. Warns if the folder of its sources is missing. */
export async function newRecipeCommand(
  command: CommandContext,
  name: string,
  { layer, style = 'plain' }: NewRecipeFlags,
): Promise<void> {
  const layout = loadLayout(layersToChange(command.options.layers))
  requireStyle(style, layout)
  await tell(command, await newRecipe(layout, name, layer, { kind: 'recipe', style }))
  const sources = join(layout.trees.at(-1)?.checkout ?? '.', name)
  if (await exists(sources)) return
  const message =
    `"${sources}" is not there yet: put the sources of ${name} there, or state another source ` +
    'in its recipe; until then, most commands fail'
  command.emit({ type: 'warning', at: command.now(), message })
}

/** Fails with `unknown-style` for one that is not there, or that no new recipe can have. */
function requireStyle(name: string, { trees }: Layout): void {
  const styles = readStyles(trees, new Faults())
  const reasonOf = (style: string): string | undefined => {
    if (!styles.has(style)) return 'it is not there'
    if (styles.get(style)?.image === true) return 'it makes an image, as `new image` does'
    return Object.hasOwn(NO_START, style) ? NO_START[style] : undefined
  }
  const reason = reasonOf(name)
  if (reason === undefined) return
  const names = [...styles.keys()].filter((style) => reasonOf(style) === undefined)
  throw new FixpointError('unknown-style', `Cannot use style "${name}": ${reason}`, {
    hint: suggestion(name, names) ?? `The styles are: ${names.join(', ')}`,
  })
}

/** `new image NAME [RECIPE…]`: another image, with further packages. */
export async function newImageCommand(
  command: CommandContext,
  name: string,
  words: readonly string[],
  { layer, extends: extended = 'system/tiny' }: NewImageFlags,
): Promise<void> {
  const { metadata, layout } = await loadAll(layersToChange(command.options.layers))
  const base = resolveTarget(metadata, extended)
  if (metadata.recipes.get(base)?.image !== true)
    throw new FixpointError('unknown-target', `Cannot extend ${base}: it is no image`)
  const contents = resolveTargets(metadata, words)
  await tell(command, await newRecipe(layout, name, layer, { kind: 'image', base, contents }))
}

async function tell(command: CommandContext, file: string): Promise<void> {
  await command.result([file], { type: 'new', file })
}
