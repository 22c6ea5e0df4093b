import { isatty } from 'node:tty'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'

let failure: FixpointError | undefined
let left = false

/** As it was at the start: a terminal that was closed is none any more. */
const onTerminal = [1, 2].some((fd) => isatty(fd))

/** True once nobody reads standard output any more, as after `| head`. */
export function readerLeft(): boolean {
  return left
}

/**
 * Why standard output could not be written; undefined while it can be, and where nobody reads on.
 */
export async function outputFailure(): Promise<FixpointError | undefined> {
  // What is written last may fail a moment later.
  await new Promise<void>((resolve) => {
    process.stdout.write('', () => {
      setImmediate(resolve)
    })
  })
  return failure
}

/**
 * Takes failures to write off the process, which they would end: `stop` is told that going on is in
 * vain. Standard error only tells of what happens, so that it cannot be written changes nothing.
 */
export function watchOutput(stop: (reason?: FixpointError) => void): void {
  process.stdout.on('error', (error: Error) => {
    if (isGone(error)) left = true
    else failure ??= unwritable(error)
    // Nobody reads on, as after `| head`: stop what is under way, and say nothing of a broken pipe.
    stop(failure)
  })
  process.stderr.on('error', (error: Error) => {
    if (isGone(error)) stop()
  })
}

/** Whether nobody reads on: the pipe has no other end, or the terminal was closed. */
function isGone(error: Error): boolean {
  const code = errorCode(error)
  return code === 'EPIPE' || (code === 'EIO' && onTerminal)
}

function unwritable(cause: Error): FixpointError {
  const full = ['ENOSPC', 'EDQUOT'].includes(errorCode(cause) ?? '')
  const reason = full ? 'the disk is full' : (systemReason(cause) ?? cause.message)
  return new FixpointError('output-failed', `Cannot write to standard output: ${reason}`, { cause })
}
