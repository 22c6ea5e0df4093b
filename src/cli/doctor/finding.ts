/**
 * What of the host a finding is needed for: building images, booting them, working on the engine,
 * or checking that work (without it some tests are skipped, and `make lint` fails).
 */
export type Purpose = 'build' | 'boot' | 'develop' | 'check'

/** One thing that was examined. */
export interface Finding {
  /** Stable, machine-readable name of what was examined: 'node', 'bwrap', 'static-c', … */
  readonly code: string
  readonly purpose: Purpose
  /** 'missing': the purpose cannot be served. 'warning': it may fail or be slow. */
  readonly status: 'ok' | 'missing' | 'warning'
  /** What was found, one line. */
  readonly message: string
  /** What to do about it: a command where there is one. */
  readonly remedy?: string
}

/** A finding for something that is as it should be. */
export function ok(code: string, purpose: Purpose, message: string): Finding {
  return { code, purpose, status: 'ok', message }
}

/** A finding for something that stands in the way. */
export function missing(code: string, purpose: Purpose, message: string, remedy: string): Finding {
  return { code, purpose, status: 'missing', message, remedy }
}

/** A finding for something that may go wrong. */
export function warning(code: string, purpose: Purpose, message: string, remedy: string): Finding {
  return { code, purpose, status: 'warning', message, remedy }
}
