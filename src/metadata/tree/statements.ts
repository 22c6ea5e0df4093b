import { basename, join } from 'node:path'
import type { RecipeId } from '../../base/recipe-id.ts'
import { check } from '../format/check.ts'
import {
  amendSchema,
  LIST_FIELDS,
  MAP_FIELDS,
  recipeSchema,
  WHOLE_FIELDS,
  type AmendText,
  type MergeableText,
  type RecipeText,
} from '../format/schema.ts'
import type { Faults } from '../yaml/faults.ts'
import { readYaml } from '../yaml/parse.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { YamlFile } from '../yaml/yaml-file.ts'
import { checkName, isWanted, list } from './entries.ts'
import { readRecipeFolder, type LocalFile, type RecipeFolder } from './files.ts'
import type { Layer } from './layers.ts'

/** What one folder changes: its fields, its `set`, `append` and `remove`, its patches and files. */
export interface Change {
  readonly yaml: YamlFile
  readonly folder: string
  /** Fields stated by the recipe itself; empty for amendments. */
  readonly stated: MergeableText
  readonly operators: Pick<AmendText, 'set' | 'append' | 'remove'>
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
}

/** A recipe's own file, before anything is merged. */
export interface RecipeStatement extends Change {
  readonly id: RecipeId
  readonly name: string
  readonly layer: Layer
  readonly extends: RecipeId | undefined
}

/** An amend.yaml, and the recipe it changes. */
export interface Amendment extends Change {
  readonly target: RecipeId
  readonly layer: Layer
}

/** Everything that the layers' folders state. */
export interface Statements {
  /**
   * All recipes, in the order of layers and names; undefined stands for one that is there but has a
   * fault.
   */
  readonly recipes: ReadonlyMap<RecipeId, RecipeStatement | undefined>
  /** Layer of each recipe. */
  readonly layers: ReadonlyMap<RecipeId, Layer>
  /** By the recipe they change, in the order of layers. */
  readonly amendments: ReadonlyMap<RecipeId, readonly Amendment[]>
}

/**
 * Reads all recipe folders of the layers. Faults, beside those of reading: `unknown-file`,
 * `name-mismatch`, `merge-without-extends`, `unknown-recipe`, `layer-order`, `ambiguous-amendment`.
 */
export function readStatements(layers: readonly Layer[], faults: Faults): Statements {
  const recipes = new Map<RecipeId, RecipeStatement | undefined>()
  const layerOf = new Map<RecipeId, Layer>()
  const amendments = new Map<RecipeId, Amendment[]>()
  for (const layer of layers) {
    const amending: RecipeFolder[] = []
    for (const folder of recipeFolders(layer, faults)) {
      const found = readRecipeFolder(folder, faults)
      if (found?.kind === 'amend') amending.push(found)
      if (found?.kind !== 'recipe') continue
      const id = `${layer.name}/${basename(folder)}` as RecipeId
      recipes.set(id, readRecipe(id, layer, found, faults))
      layerOf.set(id, layer)
    }
    for (const folder of amending) {
      const amendment = readAmendment(layer, folder, layerOf, faults)
      if (amendment !== undefined)
        amendments.set(amendment.target, [...(amendments.get(amendment.target) ?? []), amendment])
    }
  }
  return { recipes, layers: layerOf, amendments }
}

/** What a layer may say about itself; nothing reads it. */
const README = 'README.md'

function recipeFolders(layer: Layer, faults: Faults): string[] {
  const rule = `a layer holds folders of recipes and a ${README} only`
  return list(layer.folder, faults).flatMap((entry) => {
    if (entry.kind === 'file' && entry.name === README) return []
    const wanted = entry.kind === 'folder' ? 'folder' : undefined
    return isWanted(entry, wanted, rule, faults) ? [entry.path] : []
  })
}

function yamlOf(
  layer: Layer,
  { folder, file }: RecipeFolder,
  faults: Faults,
): YamlFile | undefined {
  if (file === undefined) return undefined
  return readYaml(join(folder, file), faults, { root: layer.tree.checkout })
}

function readRecipe(
  id: RecipeId,
  layer: Layer,
  folder: RecipeFolder,
  faults: Faults,
): RecipeStatement | undefined {
  const yaml = yamlOf(layer, folder, faults)
  const text = yaml === undefined ? undefined : check(yaml, recipeSchema, 'a recipe', faults)
  if (yaml === undefined || text === undefined) return undefined
  const name = basename(folder.folder)
  checkName(yaml, name, { what: 'a recipe', where: 'folder' }, faults)
  if (text.extends === undefined) {
    for (const operator of ['set', 'append', 'remove'] as const) {
      if (text[operator] === undefined) continue
      const message = `Cannot read a recipe: "${operator}" is there without "extends"`
      faults.add(
        'merge-without-extends',
        message,
        yaml.positionOfKey([operator]),
        'Write the fields themselves, or say which recipe this one extends',
      )
    }
  }
  const { set, append, remove } = text
  const { patches, files } = folder
  return {
    id,
    name,
    layer,
    yaml,
    folder: folder.folder,
    extends: text.extends as RecipeId | undefined,
    stated: mergeable(text),
    operators: { set, append, remove },
    patches,
    files,
  }
}

function mergeable(text: RecipeText): Change['stated'] {
  const fields = [...WHOLE_FIELDS, ...MAP_FIELDS, ...LIST_FIELDS].filter(
    (field) => text[field] !== undefined,
  )
  return Object.fromEntries(fields.map((field) => [field, text[field]]))
}

function readAmendment(
  layer: Layer,
  folder: RecipeFolder,
  layerOf: ReadonlyMap<RecipeId, Layer>,
  faults: Faults,
): Amendment | undefined {
  const yaml = yamlOf(layer, folder, faults)
  const text = yaml === undefined ? undefined : check(yaml, amendSchema, 'an amendment', faults)
  if (yaml === undefined || text === undefined) return undefined
  const name = basename(folder.folder)
  const earlier = [...layerOf].filter(([, other]) => other.rank < layer.rank).map(([id]) => id)
  const stated = text.amends as RecipeId | undefined
  const named =
    stated === undefined
      ? earlier.filter((id) => id.slice(id.indexOf('/') + 1) === name)
      : earlier.filter((id) => id === stated)
  const [target, ...others] = named
  const position = () => yaml.position(['amends'])
  if (target === undefined) {
    const own = layerOf.get(stated ?? (`${layer.name}/${name}` as RecipeId))
    const wanted = stated ?? name
    if (own !== undefined)
      faults.add(
        'layer-order',
        `Cannot amend "${wanted}": it is of the same layer`,
        position(),
        'Change the recipe itself',
      )
    else
      faults.add(
        'unknown-recipe',
        `Cannot amend "${wanted}": no earlier layer has it`,
        position(),
        suggestion(
          wanted,
          stated === undefined ? earlier.map((id) => id.slice(id.indexOf('/') + 1)) : earlier,
        ),
      )
    return undefined
  }
  if (others.length > 0) {
    faults.add(
      'ambiguous-amendment',
      `Cannot amend "${name}": there are ${named.join(' and ')}`,
      position(),
      `Say which one, for instance "amends: ${others.at(-1) ?? target}"`,
    )
    return undefined
  }
  const { set, append, remove } = text
  return {
    target,
    layer,
    yaml,
    folder: folder.folder,
    stated: {},
    operators: { set, append, remove },
    patches: folder.patches,
    files: folder.files,
  }
}
