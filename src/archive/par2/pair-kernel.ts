/** Adds `factors[2k]` and `factors[2k + 1]` times the words of `source` to pair `k` of two sums. */
export type AddToPairs = (
  pairs: readonly Int32Array[],
  source: Uint16Array,
  factors: Uint16Array,
) => void

/**
 * Makes the function that all work here ends in. It works in GF(2^16) on two sums at once: a pair
 * holds one in the low and one in the high halves of its words. So one look at a table gives two
 * products, which takes half the time. `source` has 16-bit words, as this machine orders bytes, and
 * a pair as many words of 32 bits at least.
 *
 * Threads get the text of this function, because Node cannot start one from TypeScript in the
 * tests. So it uses nothing of its module.
 */
export function pairKernel(): AddToPairs {
  const POLYNOMIAL = 0x1100b
  const LOW = new Int32Array(256)
  const HIGH = new Int32Array(256)

  // The loop gets its tables as arguments: V8 compiles it to better code so.
  function addProducts(
    pair: Int32Array,
    source: Uint16Array,
    low: Int32Array,
    high: Int32Array,
  ): void {
    for (let at = 0; at < source.length; at++) {
      const word = source[at] as number
      ;(pair[at] as number) ^= (low[word & 255] as number) ^ (high[word >>> 8] as number)
    }
  }

  const twice = (value: number): number => (value << 1) ^ ((value & 0x8000) === 0 ? 0 : POLYNOMIAL)

  /** Products with all bytes: each is a sum of the products with powers of 2. */
  function fill(table: Int32Array, first: number, second: number): void {
    for (let bit = 1, one = first, two = second; bit < 256; bit *= 2) {
      for (let rest = 0; rest < bit; rest++)
        table[bit + rest] = (table[rest] as number) ^ one ^ (two << 16)
      one = twice(one)
      two = twice(two)
    }
  }

  function timesByte(value: number): number {
    let product = value
    for (let bit = 0; bit < 8; bit++) product = twice(product)
    return product
  }

  return (pairs, source, factors) => {
    for (let index = 0; index < pairs.length; index++) {
      const first = factors[2 * index] as number
      const second = factors[2 * index + 1] as number
      fill(LOW, first, second)
      fill(HIGH, timesByte(first), timesByte(second))
      addProducts(pairs[index] as Int32Array, source, LOW, HIGH)
    }
  }
}
