import { closeSync, constants, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { errorCode, makeFifo } from '../base/files.ts'

/** How often tokens that lie idle are given to who lacks them, milliseconds. */
const INTERVAL = 50

/** One action's share: a fifo as GNU make 4.4 and ninja 1.13 understand it. */
export interface Client {
  /** Path of the fifo. */
  readonly fifo: string
  /** Ends the share. Tokens that the action held come back, also when it was killed with them. */
  close(): void
}

interface Share {
  readonly fd: number
  /** Tokens put into the fifo and not taken back: idle in it, or held by the action's processes. */
  given: number
}

/**
 * Brokers one budget of cores among all that runs. Each action owns one token from the start; what is left of the budget lies in the
 * actions' fifos. Idle tokens are taken back all the time and go to actions that used up theirs: so the configure script of one
 * action leaves its core to the compilers of another. A fifo for each action, since a killed one would take tokens of a common one with it.
 */
export class Jobserver {
  readonly #cores: number
  readonly #shares: Share[] = []
  #timer: NodeJS.Timeout | undefined

  /** `cores`: the budget. */
  constructor(cores: number) {
    this.#cores = cores
  }

  /** Opens a share; its fifo is made at `path`. */
  open(path: string): Client {
    makeFifo(path)
    const share: Share = { fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), given: 0 }
    this.#shares.push(share)
    this.#balance()
    this.#timer ??= setInterval(() => {
      // All that there is lies in an only share already.
      if (this.#shares.length > 1) this.#balance()
    }, INTERVAL)
    return {
      fifo: path,
      close: () => {
        this.#shares.splice(this.#shares.indexOf(share), 1)
        closeSync(share.fd)
        rmSync(path, { force: true })
        this.#balance()
        if (this.#shares.length > 0) return
        clearInterval(this.#timer)
        this.#timer = undefined
      },
    }
  }

  /** Takes back what lies idle, then deals it out again, first to the shares that had nothing left. */
  #balance(): void {
    const hungry: Share[] = []
    const fed: Share[] = []
    for (const share of this.#shares) {
      const idle = drain(share.fd)
      share.given -= idle
      ;(idle === 0 ? hungry : fed).push(share)
    }
    const held = this.#shares.reduce((sum, share) => sum + 1 + share.given, 0)
    // Oldest first among the hungry: the scheduler starts the longest path first.
    const order = [...hungry, ...fed]
    for (let free = this.#cores - held, at = 0; free > 0 && order.length > 0; free--, at++) {
      const share = order[at % order.length]
      if (share === undefined) return
      writeSync(share.fd, '+')
      share.given += 1
    }
  }
}

/** Takes every token out of a fifo; their number. */
function drain(fd: number): number {
  const buffer = Buffer.alloc(256)
  try {
    return readSync(fd, buffer, 0, buffer.length, null)
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return 0
    throw error
  }
}
