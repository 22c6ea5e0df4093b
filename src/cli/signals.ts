import { isatty } from 'node:tty'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Milliseconds in which a signal that comes again is the same one: npx passes on what the terminal
 * sends to all.
 */
const ECHO = 300

/** What signals ask of the engine. */
export interface SignalHandlers {
  /** The first one: ends what runs, and cleans up. */
  readonly stop: () => void
  /** One that comes after the first: ends the process. */
  readonly leave: () => void
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

/**
 * Takes Ctrl-C, SIGTERM and, for who is on one, the end of the terminal. The listeners stay:
 * restore-cursor, which the live view loads, ends the process by the signal when it finds no other.
 * Returns what gives Ctrl-C up.
 */
export function watchSignals({ stop, leave, now }: SignalHandlers): () => void {
  let first: number | undefined
  // Node resets the signal that nohup had ignored, so this cannot be asked. But nohup leaves no
  // terminal to any of these.
  const onTerminal = [0, 1, 2].some((fd) => isatty(fd))
  const take = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && !onTerminal) return
    if (signal === 'SIGHUP') process.once('exit', endByHangup)
    if (first === undefined) {
      first = now()
      stop()
    } else if (signal !== 'SIGHUP' && now() - first > ECHO) leave()
  }
  for (const signal of SIGNALS) process.on(signal, take)
  return () => {
    process.removeListener('SIGINT', take)
    process.on('SIGINT', () => undefined)
  }
}

/**
 * Ends the process as the signal does by itself. At a usual end, Node sets the terminal up as it
 * was before, and aborts where that is gone.
 */
function endByHangup(): void {
  process.removeAllListeners('SIGHUP')
  process.kill(process.pid, 'SIGHUP')
}
