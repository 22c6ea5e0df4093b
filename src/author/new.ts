import { join, relative } from 'node:path'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Loaded } from '../metadata/load.ts'
import type { Layer } from '../metadata/tree/layers.ts'
import { layerName, recipeName } from '../metadata/format/texts.ts'
import { requireText } from './checked.ts'
import { putNewFolder } from './new-folder.ts'

/** What a new recipe starts from. */
export type Start =
  | { readonly kind: 'recipe'; readonly style: string }
  | { readonly kind: 'image'; readonly contents: readonly RecipeId[] }

/**
 * Makes the folder of a new recipe or image in one of the user's layers: the one that is named, or
 * the last. Answers the path of its recipe.yaml. Fails with `bad-name`, with `unknown-target` for
 * a layer that is none of the user's, and with `new-there`.
 */
export async function newRecipe(
  loaded: Loaded,
  name: string,
  layer: string | undefined,
  start: Start,
): Promise<string> {
  requireText(recipeName, name, 'the name of a recipe')
  const folder = join(ownLayer(loaded, layer).folder, name)
  const text = start.kind === 'recipe' ? recipeText(name, start.style) : imageText(name, start)
  await putNewFolder(folder, { 'recipe.yaml': text })
  return join(folder, 'recipe.yaml')
}

/** One of the user's layers, which are those of the last layers.yaml. */
export function ownLayer({ layout }: Loaded, name: string | undefined): Layer {
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
 * the path of its layers.yaml. Fails with `new-there`.
 */
export async function newLayer(folder: string, name: string, engine: string): Promise<string> {
  requireText(layerName, name, 'the name of a layer')
  const include = relative(folder, engine)
  await putNewFolder(folder, {
    'layers.yaml': `include: ${include}\nlayers: [${name}]\n`,
  })
  await putNewFolder(join(folder, name), {})
  return join(folder, 'layers.yaml')
}

function recipeText(name: string, style: string): string {
  const steps =
    style === 'plain'
      ? [
          '# Where its files go: "$OUT" stands for the root of what uses it.',
          'steps:',
          `  build: make -C ${name}`,
          `  install: install -D ${name}/${name} "$OUT/usr/bin/${name}"`,
        ]
      : style === 'autotools'
        ? ['env:', `  WORK: /build/src/${name}`]
        : []
  return [
    `name: ${name}`,
    "version: '1'",
    `summary: What ${name} is for`,
    'license: MIT',
    '# A folder beside the folder of layers, also in "$SRC". For a tarball: sha256 and from.',
    'sources:',
    `  - tree: [${name}]`,
    '    name: source',
    'inputs: [toolchain/gcc, toolchain/make, toolchain/busybox]',
    `style: ${style}`,
    ...steps,
    '',
  ].join('\n')
}

function imageText(name: string, { contents }: { readonly contents: readonly RecipeId[] }): string {
  return [
    `name: ${name}`,
    'extends: system/tiny',
    'set:',
    `  summary: What ${name} is for`,
    ...(contents.length > 0 ? ['append:', `  contents: [${contents.join(', ')}]`] : []),
    '',
  ].join('\n')
}
