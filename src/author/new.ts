import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { ifThere } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { layerName, recipeName } from '../metadata/format/texts.ts'
import { readLayout, RESERVED, type Layer, type Layout } from '../metadata/tree/layers.ts'
import { Faults } from '../metadata/yaml/faults.ts'
import { buildLines } from './build-lines.ts'
import { requireText } from './checked.ts'
import { putNewFolder } from './new-folder.ts'
import { yamlWord } from './yaml-text.ts'

/** What a new recipe starts from. */
export type Start =
  | { readonly kind: 'recipe'; readonly style: string }
  | { readonly kind: 'image'; readonly base: RecipeId; readonly contents: readonly RecipeId[] }

/**
 * Makes the folder of a new recipe or image in one of the user's layers: the one that is named, or
 * the last. Answers the path of its recipe.yaml. Fails with `bad-name`, with `unknown-target` for
 * a layer that is none of the user's, and with `new-there`.
 */
export async function newRecipe(
  layout: Layout,
  name: string,
  layer: string | undefined,
  start: Start,
): Promise<string> {
  requireText(recipeName, name, 'the name of a recipe')
  const folder = join(ownLayer(layout, layer).folder, name)
  const text = start.kind === 'recipe' ? recipeText(name, start.style) : imageText(name, start)
  await putNewFolder(folder, { 'recipe.yaml': text })
  return join(folder, 'recipe.yaml')
}

/** One of the user's layers, which are those of the last layers.yaml. */
export function ownLayer(layout: Layout, name: string | undefined): Layer {
  const tree = layout.trees.at(-1)
  const own = layout.layers.filter((layer) => layer.tree === tree)
  const layer = name === undefined ? own.at(-1) : own.find((one) => one.name === name)
  if (layer !== undefined) return layer
  throw new FixpointError(
    'unknown-target',
    `Cannot use layer "${name ?? ''}": your layers are ${own.map((one) => one.name).join(', ')}`,
  )
}

/**
 * Makes a folder of layers with one layer of that name, on top of the engine's own layers. Answers
 * the path of its layers.yaml. Fails with `bad-name` and `new-there`.
 */
export async function newLayer(folder: string, name: string, engine: string): Promise<string> {
  requireText(layerName, name, 'the name of a layer')
  requireFree(name, engine)
  const include = relative(await realPathOf(folder), engine)
  const text = `include: ${yamlWord(include)}\nlayers: [${yamlWord(name)}]\n`
  await putNewFolder(folder, { 'layers.yaml': text }, [name])
  return join(folder, 'layers.yaml')
}

/** Layers of that name would be refused as soon as they are read. */
function requireFree(name: string, engine: string): void {
  const engineLayers = readLayout(engine, new Faults())?.layers ?? []
  const reason = RESERVED.includes(name)
    ? `the folder of that name holds the ${name} of the layers`
    : engineLayers.some((layer) => layer.name === name)
      ? 'a layer that comes with the engine has it'
      : undefined
  if (reason === undefined) return
  throw new FixpointError('bad-name', `Cannot use "${name}" as the name of a layer: ${reason}`, {
    hint: `Choose another name, such as "my-${name}"`,
  })
}

/** The path without links, of what may not be there yet. */
async function realPathOf(path: string): Promise<string> {
  return (
    (await ifThere(realpath(path))) ??
    join(await realPathOf(dirname(resolve(path))), basename(resolve(path)))
  )
}

function recipeText(name: string, style: string): string {
  return [
    `name: ${yamlWord(name)}`,
    "version: '1'",
    `summary: What ${name} is for`,
    'license: MIT',
    '# A folder beside the folder of layers, also in "$SRC". For a tarball: sha256 and from.',
    'sources:',
    `  - tree: [${yamlWord(name)}]`,
    '    name: source',
    ...buildLines(style, { name, folder: name }),
    '',
  ].join('\n')
}

function imageText(name: string, { base, contents }: Start & { kind: 'image' }): string {
  return [
    `name: ${yamlWord(name)}`,
    `extends: ${base}`,
    'set:',
    `  summary: What ${name} is for`,
    ...(contents.length > 0 ? ['append:', `  contents: [${contents.join(', ')}]`] : []),
    '',
  ].join('\n')
}
