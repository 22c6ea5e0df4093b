import type { RecipeId } from '../base/recipe-id.ts'
import type { Recipe } from './recipe/recipe.ts'

export {
  fetchedSources,
  type FileSource,
  type LicenseFile,
  type Recipe,
  type Source,
} from './recipe/recipe.ts'
export { LARGEST_LICENSE, licenseText, splitInner } from './recipe/license-text.ts'
export type { LocalFile } from './tree/files.ts'

/** All recipes of an ordered list of layers. */
export interface Metadata {
  readonly layers: readonly string[]
  readonly arch: string
  readonly recipes: ReadonlyMap<RecipeId, Recipe>
}
