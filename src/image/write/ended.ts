import { FixpointError } from '../../base/error.ts'
import { explainSystemError } from '../../base/system-error.ts'

/** How far an image has come that is written to a disk. */
export type DiskState = 'untouched' | 'erasing' | 'in part' | 'ending' | 'written'

/** What a disk holds when the work ended in such a state. */
const HOLDS: Readonly<Record<DiskState, string>> = {
  untouched: 'the disk is as it was',
  erasing: 'the disk may be as it was, or its beginning is erased',
  'in part': 'the disk holds a part of the image, and nothing starts from it',
  ending: 'the disk holds the image, but perhaps not its first MiB',
  written: 'the disk holds the image, and was not read back to its end',
}

/**
 * The error of a write that failed or was interrupted: it says what the disk holds. What is a bug
 * of ours stays what it is.
 */
export function endedIn(
  state: DiskState,
  path: string,
  failure: unknown,
  signal: AbortSignal,
): unknown {
  const holds = HOLDS[state]
  // The reason of an interruption is not always Ctrl-C: output that nobody reads is another.
  if (signal.aborted && isAbort(signal.reason))
    return new FixpointError('write-interrupted', `Stopped writing to "${path}": ${holds}`, {
      cause: failure,
    })
  const error = explainSystemError(failure)
  // It was read back to where it differs.
  if (!(error instanceof FixpointError) || error.code === 'disk-read-back') return error
  return new FixpointError(error.code, `${error.message}; ${holds}`, { cause: error })
}

function isAbort(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'AbortError'
}
