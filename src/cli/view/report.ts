import { FixpointError, FixpointErrors } from '../../base/error.ts'
import { EXIT } from '../../base/exit.ts'
import { explainSystemError } from '../../base/system-error.ts'
import { visible } from '../../base/visible.ts'
import type { GlobalOptions } from '../global-options.ts'
import { hintOf } from './hints.ts'

/**
 * How the process ends for what made a command fail: its exit code, and what is printed. Commands
 * in hints have the `options` of this one.
 */
export function describeEnd(
  failure: unknown,
  options: GlobalOptions = {},
): { readonly code: number; readonly text: string } {
  const error = explainSystemError(failure)
  const code = exitCodeOf(error)
  return {
    code,
    text:
      code === EXIT.interrupted && !isTold(error)
        ? 'interrupted; nothing half-made is left, and the next run does the rest'
        : describeError(error, options),
  }
}

/** Whether an interruption has more to say than that the next run does the rest. */
function isTold(error: unknown): boolean {
  return error instanceof FixpointError && error.code === 'write-interrupted'
}

/**
 * Text about an error for people, without a stack unless it is a bug of ours; for several, one
 * paragraph each.
 */
function describeError(error: unknown, options: GlobalOptions): string {
  if (error instanceof FixpointErrors)
    return error.errors.map((one) => describeOne(one, options)).join('\n')
  if (error instanceof FixpointError) return describeOne(error, options)
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `error: this is a bug of Fixpoint: ${visible(text, { lines: true })}`
}

function describeOne(error: FixpointError, options: GlobalOptions): string {
  const { position } = error
  const parts = position === undefined ? [] : [position.file, position.line, position.column]
  const known = parts.filter((part) => part !== undefined)
  const where = known.length === 0 ? '' : `${known.join(':')}: `
  const lines = [`${visible(where)}error: ${visibleMessage(error.message)}`]
  // A line of a file may read like one of ours.
  if (position?.frame !== undefined)
    lines.push(visible(position.frame, { lines: true }).replace(/^/gm, '  '))
  const hint = hintOf(error, options)
  if (hint !== undefined) lines.push(`hint: ${visible(hint)}`)
  return lines.join('\n')
}

/**
 * A message as it may be shown. Its further lines are indented, which sets them off from lines of
 * ours; where one is not, its newline belongs to a name.
 */
export function visibleMessage(message: string): string {
  return visible(
    message.replace(/\n(?! {2})/g, () => visible('\n')),
    { lines: true },
  )
}

function exitCodeOf(error: unknown): number {
  if (error instanceof FixpointError) return EXIT[error.kind]
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted
  return EXIT.bug
}
