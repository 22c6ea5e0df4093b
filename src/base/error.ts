import { kindOf, type ErrorCode } from './codes.ts'
import { kindOfStatus, type FailureKind } from './exit.ts'
import type { RecipeId } from './recipe-id.ts'

/**
 * A position in a metadata file. `line` and `column` count from 1; `frame` is the source line with
 * a row of carets.
 */
export interface Position {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly frame?: string
}

/** A position whose line is not to be shown, because it holds a secret. */
export function withoutFrame({ file, line, column }: Position): Position {
  return { file, ...(line !== undefined && { line }), ...(column !== undefined && { column }) }
}

/** What the command line needs to say what to do next, beside the code and its own options. */
export interface Facts {
  /** What is wanted as a word of the command line. */
  readonly recipe?: RecipeId
  readonly step?: string
  /** File with the output of the steps. */
  readonly log?: string
  /** Whether the tree of a failed step was kept. */
  readonly isTreeKept?: boolean
  /** Folder that the failure left for a look. */
  readonly folder?: string
  /** File that was set aside, or that is not what it should be. */
  readonly file?: string
  /** Whether other users may read a file with a secret. */
  readonly isOpenToOthers?: boolean
  /** Whether both of two results of an action are in the store. */
  readonly areBothKept?: boolean
  /** What the whole command was to make. */
  readonly targets?: readonly RecipeId[]
  /** SHA-256 that a recipe states, and that no place delivered. */
  readonly wanted?: string
  /** Names that a digest is known by, where the recipe has another. */
  readonly knownAs?: string
  /** A name near the one that does not exist. */
  readonly near?: string
}

/** What an error may carry beside its message. */
export interface ErrorDetails {
  readonly position?: Position | undefined
  /**
   * How to mend the file at the position, one sentence. What to do about the machine, and what to
   * type, the command line says by the code.
   */
  readonly hint?: string | undefined
  readonly facts?: Facts | undefined
  readonly cause?: unknown
}

/**
 * The one error class. `code` is a stable, machine-readable reason ('source-digest',
 * 'unknown-field', …) that tests assert, and decides `kind` and exit code; `message` starts with
 * the action that failed and has no full stop.
 */
export class FixpointError extends Error {
  override readonly name = 'FixpointError'
  readonly code: ErrorCode
  readonly kind: FailureKind
  readonly position: Position | undefined
  readonly hint: string | undefined
  readonly facts: Facts

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kindOf(code)
    this.code = code
    this.position = details.position
    this.hint = details.hint
    this.facts = details.facts ?? {}
  }
}

/**
 * An engine in a process of its own failed, and has said why. The only error whose kind its code
 * does not decide: it keeps the exit status of that engine.
 */
export class EngineFailure extends FixpointError {
  override readonly kind: FailureKind

  constructor(
    code: 'rebuild-failed' | 'second-build-failed',
    message: string,
    { status, facts }: { readonly status: number | null; readonly facts?: Facts },
  ) {
    super(code, message, { facts })
    this.kind = kindOfStatus(status)
  }
}

/**
 * Several errors at once, for stages that report every fault they find. Takes the exit code of the
 * first.
 */
export class FixpointErrors extends FixpointError {
  readonly errors: readonly FixpointError[]

  constructor(errors: readonly FixpointError[]) {
    const first = errors[0]
    if (first === undefined) throw new TypeError('FixpointErrors needs at least one error')
    super(first.code, errors.map((error) => error.message).join('\n'))
    this.errors = errors
  }
}

/**
 * One error for several failures: a bug among them goes first, since it may be the cause of the
 * others. `failures` has one at least.
 */
export function combineFailures(failures: readonly unknown[]): Error {
  const bug = failures.find((failure) => !(failure instanceof FixpointError))
  if (bug !== undefined)
    return bug instanceof Error
      ? bug
      : new Error('Something other than an error was thrown', { cause: bug })
  const known = failures.filter((failure) => failure instanceof FixpointError)
  return known.length === 1 && known[0] !== undefined ? known[0] : new FixpointErrors(known)
}
