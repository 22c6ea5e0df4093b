/** Times and sizes of remote execution; tests shorten the times. */
export interface RemoteLimits {
  /** Milliseconds that a short call may take. */
  readonly callMs: number
  /** Milliseconds without a byte of a blob after which it is given up. */
  readonly idleMs: number
  /** Milliseconds between two looks at whether the server is alive, and for its answer. */
  readonly pingMs: number
  readonly pongMs: number
  /** Milliseconds to wait before each further attempt. */
  readonly delays: readonly number[]
  /** Milliseconds that a worker gets beside the time limits of an action's steps. */
  readonly besideStepsMs: number
}

export const LIMITS: RemoteLimits = {
  callMs: 30_000,
  idleMs: 30_000,
  pingMs: 20_000,
  pongMs: 10_000,
  delays: [500, 1_000, 2_000],
  besideStepsMs: 600_000,
}

/** Bytes; a blob that is larger is written by a stream of its own. */
export const SMALL = 1 << 20

/** Bytes of blobs in one call, if the server does not want less; gRPC's own limit is 4 MiB. */
export const BATCH = 3 << 20

/** Bytes in one message of a stream. */
export const PIECE = 1 << 20

/** Bytes; more than a description of a result ever has. */
export const LARGEST_RESULT = 1 << 20

/** Bytes; more than a log may have. */
export const LARGEST_LOG = 1 << 30

/** Bytes; more than an artifact may have, with its headers. */
export const LARGEST_ARTIFACT = 65 * 2 ** 30
