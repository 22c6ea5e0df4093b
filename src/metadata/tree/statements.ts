import { basename, join } from 'node:path'
import type { RecipeId } from '../../base/events.ts'
import { readDocument, type SourceDocument } from '../yaml/yaml-file.ts'
import { list } from './entries.ts'
import type { Faults } from '../yaml/faults.ts'
import { readRecipeFolder, type RecipeFolder } from './files.ts'
import type { Layer } from './layers.ts'
import type { Change } from '../recipe/merge.ts'
import { addSymlink } from '../yaml/read-file.ts'
import {
  amendSchema,
  LIST_FIELDS,
  MAP_FIELDS,
  recipeSchema,
  WHOLE_FIELDS,
  type RecipeText,
} from '../format/schema.ts'
import { suggestion } from '../yaml/suggest.ts'
import { validate } from '../yaml/validate.ts'

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
  return list(layer.folder, faults).flatMap(({ name, path, kind }) => {
    if (kind === 'link') addSymlink(path, faults)
    else if (kind !== 'folder' && !(kind === 'file' && name === README))
      faults.add(
        'unknown-file',
        `Cannot use "${path}": a layer holds folders of recipes and a ${README} only`,
        { file: path },
      )
    return kind === 'folder' ? [path] : []
  })
}

function documentOf({ folder, file }: RecipeFolder, faults: Faults): SourceDocument | undefined {
  return file === undefined ? undefined : readDocument(join(folder, file), faults)
}

function readRecipe(
  id: RecipeId,
  layer: Layer,
  folder: RecipeFolder,
  faults: Faults,
): RecipeStatement | undefined {
  const document = documentOf(folder, faults)
  const text =
    document === undefined ? undefined : validate(document, recipeSchema, 'a recipe', faults, {})
  if (document === undefined || text === undefined) return undefined
  const name = basename(folder.folder)
  if (text.name !== name) {
    faults.add(
      'name-mismatch',
      `Cannot read a recipe: its name is "${text.name}", its folder's "${name}"`,
      document.place(['name']),
      `Write "name: ${name}" or rename the folder`,
    )
  }
  if (text.extends === undefined) {
    for (const operator of ['set', 'append', 'remove'] as const) {
      if (text[operator] === undefined) continue
      const message = `Cannot read a recipe: "${operator}" is there without "extends"`
      faults.add(
        'merge-without-extends',
        message,
        document.placeOfKey([operator]),
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
    document,
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
  const document = documentOf(folder, faults)
  const text =
    document === undefined ? undefined : validate(document, amendSchema, 'an amendment', faults, {})
  if (document === undefined || text === undefined) return undefined
  const name = basename(folder.folder)
  const earlier = [...layerOf].filter(([, other]) => other.rank < layer.rank).map(([id]) => id)
  const stated = text.amends as RecipeId | undefined
  const named =
    stated === undefined
      ? earlier.filter((id) => id.slice(id.indexOf('/') + 1) === name)
      : earlier.filter((id) => id === stated)
  const [target, ...others] = named
  const place = () => document.place(['amends'])
  if (target === undefined) {
    const own = layerOf.get(stated ?? (`${layer.name}/${name}` as RecipeId))
    const wanted = stated ?? name
    if (own !== undefined)
      faults.add(
        'layer-order',
        `Cannot amend "${wanted}": it is of the same layer`,
        place(),
        'Change the recipe itself',
      )
    else
      faults.add(
        'unknown-recipe',
        `Cannot amend "${wanted}": no earlier layer has it`,
        place(),
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
      place(),
      `Say which one, for instance "amends: ${others.at(-1) ?? target}"`,
    )
    return undefined
  }
  const { set, append, remove } = text
  return {
    target,
    layer,
    document,
    stated: {},
    operators: { set, append, remove },
    patches: folder.patches,
    files: folder.files,
  }
}
