import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { errorCode } from '../base/files.ts'

/** How often tokens that lie idle are given to who lacks them, milliseconds. */
const INTERVAL = 50

/**
 * Largest budget: its tokens are written to a fifo in one piece or not at all, as PIPE_BUF of Linux
 * has it.
 */
export const MOST_CORES = 4096

/** All that a fifo holds, unless a step has made it larger. */
const CAPACITY = 65_536

/** One action's share, over a fifo as GNU make 4.4 and ninja 1.13 understand it. */
export interface Client {
  /** Ends the share. Tokens that the action held come back, also when it was killed with them. */
  close(): void
}

interface Share {
  readonly fd: number
  /**
   * Tokens put into the fifo and not taken back: idle in it, or held by the action's processes.
   * Never below 0.
   */
  given: number
}

/**
 * Brokers one budget of cores among all that runs. Each action owns one token from the start; what
 * is left of the budget lies in the actions' fifos. Idle tokens are taken back all the time and go
 * to actions that used up theirs: so the configure script of one action leaves its core to the
 * compilers of another. A fifo for each action, since a killed one would take tokens of a common
 * one with it. A step may write tokens that it was never given: they are taken out, count for
 * nothing, and never get to another action.
 */
export class Jobserver {
  readonly #cores: number
  readonly #shares: Share[] = []
  #timer: NodeJS.Timeout | undefined

  /** `cores`: the budget, at most {@link MOST_CORES}. */
  constructor(cores: number) {
    this.#cores = cores
  }

  /** Opens a share, over a fifo that nobody else has open. */
  open(fifo: string): Client {
    const share: Share = { fd: openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK), given: 0 }
    this.#shares.push(share)
    this.balance()
    // Also for an only share: what its step has put in beyond what it was given is taken out.
    this.#timer ??= setInterval(() => {
      this.balance()
    }, INTERVAL)
    return {
      close: () => {
        this.#shares.splice(this.#shares.indexOf(share), 1)
        closeSync(share.fd)
        this.balance()
        if (this.#shares.length > 0) return
        clearInterval(this.#timer)
        this.#timer = undefined
      },
    }
  }

  /**
   * Takes back what lies idle, then deals it out again, first to the shares that had nothing left.
   * This happens by itself; it may be called at any time.
   */
  balance(): void {
    const hungry: Share[] = []
    const fed: Share[] = []
    for (const share of this.#shares) {
      const idle = drain(share.fd)
      share.given = Math.max(0, share.given - idle)
      ;(idle === 0 ? hungry : fed).push(share)
    }
    const held = this.#shares.reduce((sum, share) => sum + 1 + share.given, 0)
    // Oldest first among the hungry: the scheduler starts the longest path first.
    const order = [...hungry, ...fed]
    const free = Math.max(0, this.#cores - held)
    order.forEach((share, at) => {
      const count = Math.floor(free / order.length) + (at < free % order.length ? 1 : 0)
      if (put(share.fd, count)) share.given += count
    })
  }
}

/** Where tokens go that are taken out; what they are does not matter. */
const sink = Buffer.alloc(CAPACITY)

/** Takes every token out of a fifo; their number. */
function drain(fd: number): number {
  return atOnce(() => readSync(fd, sink, 0, CAPACITY, null)) ?? 0
}

/**
 * Puts tokens into a fifo. False when it is full, of tokens that the action has made itself: then
 * it is given none.
 */
function put(fd: number, count: number): boolean {
  return atOnce(() => writeSync(fd, '+'.repeat(count))) !== undefined
}

/** Undefined for a call that would have to wait. */
function atOnce(call: () => number): number | undefined {
  try {
    return call()
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return undefined
    throw error
  }
}
