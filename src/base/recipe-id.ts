/** `layer/name` of a recipe. */
export type RecipeId = string & { readonly __brand: 'RecipeId' }

/** A recipe's name as one component of a path: `layer@name`. */
export function folderName(recipe: RecipeId): string {
  return recipe.replace('/', '@')
}

/** The recipe that {@link folderName} made `name` of. */
export function recipeOfFolder(name: string): RecipeId {
  return name.replace('@', '/') as RecipeId
}
