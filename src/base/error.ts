/** Exit codes of the command line; one per kind of failure that a caller may want to tell apart. */
export const EXIT = {
  ok: 0,
  buildFailed: 1,
  usage: 2,
  metadata: 3,
  fetch: 4,
  notReproducible: 5,
  hostUnfit: 6,
  remote: 7,
  bug: 70,
  interrupted: 130,
} as const

/** Name of a failure's kind; the key of {@link EXIT}. */
export type FailureKind = Exclude<keyof typeof EXIT, 'ok'>

/** What a failure of an engine in another process was, by its exit status. */
export function kindOfStatus(status: number | null): FailureKind {
  const found = Object.entries(EXIT).find(([name, code]) => code === status && name !== 'ok')
  return (found?.[0] as FailureKind | undefined) ?? 'buildFailed'
}

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

/** What an error may carry beside its message. */
export interface ErrorDetails {
  readonly position?: Position | undefined
  /** What to do about it, one sentence. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/**
 * The one error class. `code` is a stable, machine-readable reason ('source-digest',
 * 'unknown-field', …) that tests assert; `kind` decides the exit code; `message` starts with the
 * action that failed and has no full stop.
 */
export class FixpointError extends Error {
  override readonly name = 'FixpointError'
  readonly code: string
  readonly kind: FailureKind
  readonly position: Position | undefined
  readonly hint: string | undefined

  constructor(kind: FailureKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kind
    this.code = code
    this.position = details.position
    this.hint = details.hint
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
    super(first.kind, first.code, errors.map((error) => error.message).join('\n'))
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
