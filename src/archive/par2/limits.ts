/** Input slices of a recovery set at most: there are no more constants. */
export const MAX_INPUT_BLOCKS = 32768

/** Files of a set at most, empty ones included. */
export const MAX_FILES = 32768

/** Exponents of recovery slices are below this: later ones repeat. */
export const MAX_EXPONENT = 65535

/** Blocks that one repair computes at most. Twice as many take eight times as long. */
export const MAX_REBUILT_BLOCKS = 4096

/** Bytes of memory that a call uses for data, if its caller says nothing else. */
export const DEFAULT_MEMORY = 128 << 20

/** Bytes of a block at most, for that memory: two blocks and more are held at once. */
export function maxBlockSize(memory: number): number {
  return Math.floor(memory / 8)
}
