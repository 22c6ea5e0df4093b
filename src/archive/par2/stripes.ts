import { Words } from './blocks.ts'
import { inputExponents, multiplyAdd, powerOfTwo } from './galois.ts'
import type { Work } from './work.ts'

/** A part of every block: its position and length in bytes. */
export interface Stripe {
  readonly at: number
  readonly length: number
}

/** Cuts blocks so that `buffers` parts of them fit into `memory` bytes. Lengths are even. */
export function* stripes(blockSize: number, buffers: number, memory: number): Generator<Stripe> {
  const width = stripeWidth(blockSize, buffers, memory)
  for (let at = 0; at < blockSize; at += width)
    yield { at, length: Math.min(width, blockSize - at) }
}

/** Bytes of the longest stripe. */
export function stripeWidth(blockSize: number, buffers: number, memory: number): number {
  return Math.min(blockSize, Math.max(4, Math.floor(memory / buffers / 4) * 4))
}

/**
 * Sums of input blocks, one for each exponent: in sum `e`, the factor of an input block is its
 * constant to the power of `e` (specification of PAR2 2.0, "Recovery Slice Packet").
 */
export class Sums {
  readonly rows: readonly Words[]
  readonly #exponents: readonly number[]
  readonly #inputs: Uint16Array

  constructor(exponents: readonly number[], inputs: number, width: number) {
    this.#exponents = exponents
    this.#inputs = inputExponents(inputs)
    this.rows = exponents.map(() => new Words(width))
  }

  clear(): void {
    for (const { words } of this.rows) words.fill(0)
  }

  /** The factor of an input block in a sum. */
  factor(row: number, input: number): number {
    return powerOfTwo((this.#exponents[row] ?? 0) * (this.#inputs[input] ?? 0))
  }

  /** Adds a part of input block `input` to every sum. */
  async add(input: number, part: Uint16Array, work: Work): Promise<void> {
    for (const [row, { words }] of this.rows.entries()) {
      multiplyAdd(words, part, this.factor(row, input))
      await work.turns.pass()
    }
  }
}
