import type { Digest } from '../base/digest.ts'

/** How a file gets from a place to a path of this machine. */
export interface Transfer {
  /** Where it is written. */
  readonly path: string
  readonly signal: AbortSignal
  /** The place answered; size in bytes where it says so. Called once for each attempt. */
  readonly onStart: (size: number | undefined) => void
  /** Bytes there so far, those of an earlier run included. */
  readonly onProgress: (bytes: number, size: number | undefined) => void
}

/** What arrived; whether that is what was wanted is for the caller to see. */
export interface TransferResult {
  readonly digest: Digest
  readonly bytes: number
}
