import { newWords, type Words } from './blocks.ts'
import { inputExponents, powerOfTwo } from './galois.ts'
import { pairKernel } from './pair-kernel.ts'
import { PairThreads, threadsFor } from './pair-threads.ts'
import type { Work } from './work.ts'

/** Pieces of input blocks that are read while others are worked on. */
const PIECES = 3

/** How many parts of blocks {@link Sums} keeps in memory for `count` sums. */
export function buffersOf(count: number): number {
  return 2 * Math.ceil(count / 2) + PIECES + 1
}

/** What sums are made of. */
export interface SumsOptions {
  readonly count: number
  /** The factor of an input block in a sum, both by their indices. */
  readonly factor: Factor
  /** Number of input blocks. */
  readonly inputs: number
  /** Bytes of the longest part of a block. */
  readonly width: number
  /** Threads that add; undefined: as many as are of use. */
  readonly threads: number | undefined
}

const addHere = pairKernel()

/**
 * Sums of input blocks, each times its factor in the sum. They are kept as pairs, see `pairKernel`.
 * Threads share the pairs out among them.
 */
export class Sums {
  readonly count: number
  readonly #factor: Factor
  readonly #pairs: readonly Int32Array[]
  readonly #pieces: readonly Words[]
  readonly #threads: PairThreads | undefined
  readonly #row: Words
  #next = 0

  private constructor({ count, factor, inputs, width, threads }: SumsOptions) {
    this.count = count
    this.#factor = factor
    this.#pairs = Array.from({ length: Math.ceil(count / 2) }, () => newPair(width))
    this.#pieces = Array.from({ length: PIECES }, () => newWords(width))
    this.#row = newWords(width)
    const useful = threads ?? threadsFor(this.#pairs.length, width * inputs)
    if (useful > 0)
      this.#threads = new PairThreads(
        this.#pairs,
        this.#pieces.map(({ words }) => words),
        useful,
      )
  }

  /** Calls `use` with new sums, and ends their threads afterwards. */
  static async with<T>(options: SumsOptions, use: (sums: Sums) => Promise<T>): Promise<T> {
    const sums = new Sums(options)
    try {
      return await use(sums)
    } finally {
      await sums.#threads?.close()
    }
  }

  clear(): void {
    for (const pair of this.#pairs) pair.fill(0)
  }

  /** Memory for the next part of an input block. It may be filled until it is added. */
  async piece(): Promise<Words> {
    await this.#threads?.untilFree(this.#next)
    return this.#pieces[this.#next] as Words
  }

  /** Adds `length` bytes of the last {@link piece}, of input block `input`, to every sum. */
  async add(input: number, length: number, work: Work): Promise<void> {
    const factors = Uint16Array.from({ length: 2 * this.#pairs.length }, (_, sum) =>
      sum < this.count ? this.#factor(sum, input) : 0,
    )
    const slot = this.#next
    this.#next = (slot + 1) % PIECES
    if (this.#threads !== undefined) {
      this.#threads.add(slot, length / 2, factors)
      return
    }
    const words = (this.#pieces[slot] as Words).words.subarray(0, length / 2)
    for (const [index, pair] of this.#pairs.entries()) {
      addHere([pair], words, factors.subarray(2 * index))
      await work.turns.pass()
    }
  }

  /** Resolves when all that was added is in the sums. */
  async settled(): Promise<void> {
    for (const slot of this.#pieces.keys()) await this.#threads?.untilFree(slot)
  }

  /** The first `length` bytes of a sum, until the next call. */
  read(sum: number, length: number): Words {
    const halves = this.#halves(sum)
    const { words, bytes } = this.#row
    for (let at = 0, from = sum % 2; at < length / 2; at++, from += 2)
      words[at] = halves[from] as number
    return { words: words.subarray(0, length / 2), bytes: bytes.subarray(0, length) }
  }

  /** Sets the first `length` bytes of a sum to those that `fill` puts into the bytes it gets. */
  load(sum: number, length: number, fill: (bytes: Buffer) => void): void {
    const halves = this.#halves(sum)
    const { words, bytes } = this.#row
    fill(bytes.subarray(0, length))
    for (let at = 0, to = sum % 2; at < length / 2; at++, to += 2) halves[to] = words[at] as number
  }

  #halves(sum: number): Uint16Array {
    return new Uint16Array((this.#pairs[sum >> 1] as Int32Array).buffer)
  }
}

/** The factor of an input block in a sum. */
export type Factor = (sum: number, input: number) => number

/**
 * In the recovery block of exponent `e`, the factor of an input block is its constant to the power
 * of `e` (specification of PAR2 2.0, "Recovery Slice Packet").
 */
export function recoveryFactor(exponents: readonly number[], inputs: number): Factor {
  const constants = inputExponents(inputs)
  return (sum, input) => powerOfTwo((exponents[sum] ?? 0) * (constants[input] ?? 0))
}

function newPair(width: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(2 * width))
}
