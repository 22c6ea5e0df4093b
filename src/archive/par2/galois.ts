/** Elements of the multiplicative group of GF(2^16); exponents count modulo this. */
export const ORDER = 65535

/** x^16 + x^12 + x^3 + x + 1, from the specification of PAR2 2.0. */
const POLYNOMIAL = 0x1100b

/** Powers of 2, twice in a row, so that the sum of two logarithms needs no modulo. */
const POWERS = new Uint16Array(2 * ORDER)
const LOGARITHMS = new Uint16Array(ORDER + 1)
for (let exponent = 0, value = 1; exponent < ORDER; exponent++) {
  POWERS[exponent] = value
  POWERS[exponent + ORDER] = value
  LOGARITHMS[value] = exponent
  value <<= 1
  if (value > ORDER) value ^= POLYNOMIAL
}

/** 2 to the power of `exponent`, an integer from 0 to 2^53. */
export function powerOfTwo(exponent: number): number {
  return POWERS[exponent % ORDER] ?? 0
}

/** Product of two elements, integers from 0 to 65535. Addition is `^`. */
export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  return POWERS[(LOGARITHMS[a] ?? 0) + (LOGARITHMS[b] ?? 0)] ?? 0
}

/** The element whose product with `a` is 1. Throws RangeError for 0. */
export function inverse(a: number): number {
  if (a === 0) throw new RangeError('Zero has no inverse')
  return POWERS[ORDER - (LOGARITHMS[a] ?? 0)] ?? 0
}

/**
 * Logarithms of the constants of the first `count` input slices: the integers from 1 that 3, 5, 17
 * and 257 do not divide. So the constants are powers of 2 of order 65535. There are 32,768.
 */
export function inputExponents(count: number): Uint16Array {
  const exponents = new Uint16Array(count)
  for (let at = 0, exponent = 1; at < count; exponent++) {
    if (exponent > ORDER) throw new RangeError(`There are no ${count} constants`)
    if (exponent % 3 === 0 || exponent % 5 === 0) continue
    if (exponent % 17 === 0 || exponent % 257 === 0) continue
    exponents[at++] = exponent
  }
  return exponents
}

const LOW = new Uint16Array(256)
const HIGH = new Uint16Array(256)

/**
 * Adds `factor` times `source` to `target`, word by word. Both hold little-endian 16-bit words, as
 * this machine does, and `target` is as long as `source` at least.
 */
export function multiplyAdd(target: Uint16Array, source: Uint16Array, factor: number): void {
  if (factor === 0) return
  fillTables(factor)
  addProducts(target, source, LOW, HIGH)
}

/**
 * Gets its tables as arguments: with those of the module V8 compiles it to code that takes half as
 * long again.
 */
function addProducts(
  target: Uint16Array,
  source: Uint16Array,
  low: Uint16Array,
  high: Uint16Array,
): void {
  // Indices are in range: a word has two bytes.
  for (let at = 0; at < source.length; at++) {
    const word = source[at] as number
    ;(target[at] as number) ^= (low[word & 255] as number) ^ (high[word >>> 8] as number)
  }
}

/** Products of `factor` with all low and all high bytes: each is a sum of eight. */
function fillTables(factor: number): void {
  for (let bit = 0; bit < 8; bit++) {
    const low = multiply(factor, 1 << bit)
    const high = multiply(factor, 256 << bit)
    for (let rest = 0, at = 1 << bit; rest < 1 << bit; rest++, at++) {
      LOW[at] = (LOW[rest] as number) ^ low
      HIGH[at] = (HIGH[rest] as number) ^ high
    }
  }
}
