import { FixpointError } from '../base/error.ts'
import { StepError } from '../build/run-steps.ts'
import type { GlobalOptions } from './engine.ts'

/**
 * A step's failure with the commands that lead there, as this user would type them: with the same layers and store, and without
 * building again when the tree was kept. Any other failure as it is.
 */
export function explainFailure(
  error: unknown,
  options: GlobalOptions,
  { keepFailed = false }: { readonly keepFailed?: boolean },
): unknown {
  if (!(error instanceof StepError)) return error
  const { recipe, step, log } = error
  const fixpoint = words('fixpoint', options)
  const shell = `${fixpoint} shell ${recipe}`
  const hint = keepFailed
    ? `The whole log is "${log}"; for a shell as the step left it: ${shell}; to go on from there: ${fixpoint} build --from ${step} ${recipe}`
    : `The whole log is "${log}"; for a shell as the step left it: ${fixpoint} build --keep-failed ${recipe}; ${shell}`
  return new FixpointError(error.kind, error.code, error.message, { hint, cause: error })
}

function words(program: string, { layers, store }: GlobalOptions): string {
  return [
    program,
    ...(layers === undefined ? [] : ['--layers', quote(layers)]),
    ...(store === undefined ? [] : ['--store', quote(store)]),
  ].join(' ')
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
