import { basename, join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { exists } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Loaded } from '../metadata/load.ts'
import type { Layer } from '../metadata/tree/layers.ts'
import type { Change } from '../metadata/tree/statements.ts'

/** The folder in which a user changes a recipe. */
export interface OwnFolder {
  readonly folder: string
  /** The recipe or amendment that is there; undefined when the folder has yet to be made. */
  readonly change: Change | undefined
}

/**
 * Where a user's changes of a recipe belong: into its own folder when its layer is one of the last
 * layers.yaml, the user's own. Otherwise into the folder that amends it in `layer`, by default the
 * last layer there is. Fails with `unknown-target` for a layer that is none of the user's, and
 * with `layer-before` for one that comes before the recipe's.
 */
export async function ownFolder(
  { layout, statements }: Loaded,
  id: RecipeId,
  wanted: string | undefined,
): Promise<OwnFolder> {
  const tree = layout.trees.at(-1)
  const own = layout.layers.filter((layer) => layer.tree === tree)
  const home = statements.layers.get(id)
  const statement = statements.recipes.get(id)
  if (home === undefined || statement === undefined) throw new TypeError(`"${id}" is no recipe`)
  if (wanted === undefined && own.includes(home))
    return { folder: statement.folder, change: statement }
  const layer = wanted === undefined ? own.at(-1) : own.find(({ name }) => name === wanted)
  if (layer === undefined)
    throw new FixpointError(
      'unknown-target',
      `Cannot change ${id} in layer "${wanted ?? ''}": your layers are ` +
        own.map(({ name }) => name).join(', '),
    )
  if (layer === home) return { folder: statement.folder, change: statement }
  if (layer.rank < home.rank)
    throw new FixpointError(
      'layer-before',
      `Cannot change ${id} in layer "${layer.name}": it comes before the layer of the recipe`,
    )
  const amendment = (statements.amendments.get(id) ?? []).find((one) => one.layer === layer)
  if (amendment !== undefined) return { folder: amendment.folder, change: amendment }
  return { folder: await freeFolder(layer, id), change: undefined }
}

/** A folder of the layer that is not there, named after the recipe. */
async function freeFolder(layer: Layer, id: RecipeId): Promise<string> {
  const plain = join(layer.folder, basename(id))
  return (await exists(plain)) ? join(layer.folder, id.replace('/', '-')) : plain
}
