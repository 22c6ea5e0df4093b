import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  inputExponents,
  inverse,
  multiply,
  multiplyAdd,
  ORDER,
  powerOfTwo,
} from '../../../src/archive/par2/galois.ts'

const element = fc.integer({ min: 0, max: 65535 })
const unit = fc.integer({ min: 1, max: 65535 })

/** Multiplication as the definition says it: shift, add, reduce by 0x1100b. */
function longProduct(a: number, b: number): number {
  let product = 0
  for (let bit = 15; bit >= 0; bit--) {
    product <<= 1
    if (product > 0xffff) product ^= 0x1100b
    if ((b >> bit) & 1) product ^= a
  }
  return product
}

describe('GF(2^16)', () => {
  it('multiplies as its definition does', () => {
    fc.assert(fc.property(element, element, (a, b) => multiply(a, b) === longProduct(a, b)))
  })

  it('is a field', () => {
    fc.assert(
      fc.property(element, element, element, (a, b, c) => {
        expect(multiply(a, b)).toBe(multiply(b, a))
        expect(multiply(a, multiply(b, c))).toBe(multiply(multiply(a, b), c))
        expect(multiply(a, b ^ c)).toBe(multiply(a, b) ^ multiply(a, c))
        expect(multiply(a, 1)).toBe(a)
      }),
    )
    fc.assert(fc.property(unit, (a) => multiply(a, inverse(a)) === 1))
    expect(() => inverse(0)).toThrow(RangeError)
  })

  it('has 65535 powers of 2', () => {
    const powers = new Set(Array.from({ length: ORDER }, (_, exponent) => powerOfTwo(exponent)))
    expect(powers.size).toBe(ORDER)
    expect(powers.has(0)).toBe(false)
    expect(powerOfTwo(ORDER * 7 + 3)).toBe(8)
  })
})

describe('constants of input slices', () => {
  it('are those of the specification', () => {
    expect([...inputExponents(10)].map(powerOfTwo)).toEqual([
      2, 4, 16, 128, 256, 2048, 8192, 16384, 4107, 32856,
    ])
  })

  it('are 32,768, and of order 65535', () => {
    const all = inputExponents(32768)
    expect(all.filter((one) => [3, 5, 17, 257].some((factor) => one % factor === 0))).toHaveLength(
      0,
    )
    expect(new Set(all).size).toBe(32768)
    expect(() => inputExponents(32769)).toThrow(RangeError)
  })
})

it('multiplies and adds word by word', () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 40 }), element, (words, factor) => {
      const source = Uint16Array.from(words)
      const target = Uint16Array.from(words, (_, at) => (at * 40503) & 65535)
      const wanted = target.map((word, at) => word ^ multiply(words[at]!, factor))
      multiplyAdd(target, source, factor)
      expect(target).toEqual(wanted)
    }),
  )
})
