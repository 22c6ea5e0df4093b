import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inputExponents, multiply, powerOfTwo } from '../../../src/archive/par2/galois.ts'
import { invert } from '../../../src/archive/par2/matrix.ts'
import { Turns } from '../../../src/base/turns.ts'

const INPUTS = inputExponents(200)

/** The factors of some input slices in the recovery slice of an exponent. */
function factors(exponent: number, inputs: readonly number[]): Uint16Array {
  return Uint16Array.from(inputs, (input) => powerOfTwo(exponent * INPUTS[input]!))
}

/** What the taken rows of `matrix` give when the inverse is applied to them. */
function product(
  { rows, factors: inverse }: Awaited<ReturnType<typeof invert>>,
  matrix: readonly Uint16Array[],
): number[][] {
  return inverse.map((row) =>
    Array.from(row, (_, column) =>
      rows.reduce((sum, taken, at) => sum ^ multiply(row[at]!, matrix[taken]![column]!), 0),
    ),
  )
}

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (__, column) => Number(row === column)),
  )
}

it('inverts the factors of lost blocks', async () => {
  const some = (max: number) => fc.uniqueArray(fc.nat(max), { minLength: 12, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(some(199), some(60), fc.integer({ min: 1, max: 12 }), async (...args) => {
      const [inputs, exponents, columns] = args
      const lost = inputs.slice(0, columns)
      const matrix = exponents.map((exponent) => factors(exponent, lost))
      const inverse = await invert(columns, 12, (row) => matrix[row]!.slice(), new Turns())
      expect(product(inverse, matrix)).toEqual(identity(columns))
    }),
  )
})

it('inverts any matrix that has an inverse, whatever column is zero at first', async () => {
  const matrix = [
    [0, 0, 5],
    [0, 0, 10], // twice the first
    [7, 0, 1],
    [0, 9, 3],
  ].map((row) => Uint16Array.from(row))
  const inverse = await invert(3, 4, (row) => matrix[row]!.slice(), new Turns())
  expect(inverse.rows).toEqual([0, 2, 3])
  expect(product(inverse, matrix)).toEqual(identity(3))
})

it('says when too few rows are independent', async () => {
  const row = () => Uint16Array.from([3, 4])
  await expect(invert(2, 5, row, new Turns())).rejects.toMatchObject({ code: 'parity-not-enough' })
})

it('has nothing to invert when nothing is lost', async () => {
  const inverse = await invert(0, 3, () => new Uint16Array(0), new Turns())
  expect(inverse).toEqual({ rows: [], factors: [] })
})
