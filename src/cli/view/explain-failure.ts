import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { explainSystemError } from '../../base/system-error.ts'

/**
 * What kept a recipe from being built, for a reader of the last line only. The failure of a step
 * gets the fact whether its tree was kept. Any other names the recipe. All get what was to be
 * built. A bug stays as it is.
 */
export function explainFailure(
  id: RecipeId,
  failure: unknown,
  { keepFailed = false }: { readonly keepFailed?: boolean },
  targets?: readonly RecipeId[],
): unknown {
  const error = explainSystemError(failure)
  if (!(error instanceof FixpointError)) return error
  const { code, message, position, hint, facts } = error
  return new FixpointError(
    code,
    message.includes(id) ? message : `Cannot build ${id}: ${message}`,
    {
      position,
      hint,
      facts: { ...facts, ...(targets && { targets }), isTreeKept: keepFailed },
      cause: error,
    },
  )
}
