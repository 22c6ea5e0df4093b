import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { shellWords } from '../../base/shell-words.ts'
import { explainSystemError } from '../../base/system-error.ts'
import { StepError } from '../../build/run-steps.ts'
import type { GlobalOptions } from '../context.ts'

/**
 * What kept a recipe from being built, for who reads no more than the last line. A step's failure
 * comes with the commands that lead there, as this user would type them: with the same layers and
 * store, and without building again when the tree was kept. Any other names the recipe. A bug as it
 * is.
 */
export function explainFailure(
  id: RecipeId,
  failure: unknown,
  options: GlobalOptions,
  { keepFailed = false }: { readonly keepFailed?: boolean },
): unknown {
  const error = explainSystemError(failure)
  if (error instanceof StepError) return withCommands(error, options, keepFailed)
  if (!(error instanceof FixpointError) || error.message.includes(id)) return error
  const { kind, code, message, position, hint } = error
  return new FixpointError(kind, code, `Cannot build ${id}: ${message}`, {
    position,
    hint,
    cause: error,
  })
}

function withCommands(
  error: StepError,
  options: GlobalOptions,
  keepFailed: boolean,
): FixpointError {
  const { recipe, step, log } = error
  const fixpoint = words('fixpoint', options)
  const shell = `${fixpoint} shell ${recipe}`
  const hint = keepFailed
    ? `The whole log is "${log}"; for a shell as the step left it: ${shell}; to go on from ` +
      `there: ${fixpoint} build --from ${step} ${recipe}`
    : `The whole log is "${log}"; for a shell as the step left it: ${fixpoint} build ` +
      `--keep-failed ${recipe}; ${shell}`
  return new FixpointError(error.kind, error.code, error.message, { hint, cause: error })
}

function words(program: string, { layers, store }: GlobalOptions): string {
  return shellWords([
    program,
    ...(layers === undefined ? [] : ['--layers', layers]),
    ...(store === undefined ? [] : ['--store', store]),
  ])
}
