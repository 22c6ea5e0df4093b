/** `layer/name` of a recipe. */
export type RecipeId = string & { readonly __brand: 'RecipeId' }
