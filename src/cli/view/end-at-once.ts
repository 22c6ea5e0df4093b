import { EXIT } from '../../base/exit.ts'
import { abandonSessions } from '../../store/local/session-folder.ts'
import { describeEnd } from './report.ts'

/**
 * Ends the process as the user asked for by a second signal: sandboxes die with it, and removing
 * goes on without it.
 */
export function endInterrupted(): never {
  return end(EXIT.interrupted, 'interrupted; what is half-made is removed in the background')
}

/**
 * Ends the process for an error of a timer or a stream that no command waits for: what goes on
 * would not be trusted.
 */
export function endUncaught(failure: unknown): never {
  const { code, text } = describeEnd(failure)
  return end(code, text)
}

function end(code: number, text: string): never {
  process.stderr.write(`${text}\n`)
  abandonSessions()
  process.exit(code)
}
