import { expect, it } from 'vitest'
import { hasShape, isCount, isNumber, isText } from '../../../src/base/shape.ts'

interface Thing {
  readonly name: string
  readonly size: number
}

const SHAPE = { name: isText, size: isCount(9) }

it.each([
  [{ name: 'a', size: 0 }, true],
  [{ name: 'a', size: 9, more: true }, true],
  [{ name: 'a', size: 10 }, false],
  [{ name: 'a', size: -1 }, false],
  [{ name: 'a', size: 0.5 }, false],
  [{ name: 'a', size: '1' }, false],
  [{ name: 1, size: 1 }, false],
  [{ name: 'a' }, false],
  [Object.create({ name: 'a', size: 1 }), false],
  [['a', 1], false],
  ['a', false],
  [null, false],
  [undefined, false],
])('tells whether %j has the fields that it must have', (value, has) => {
  expect(hasShape<Thing>(value, SHAPE)).toBe(has)
})

it('takes no number for one that JSON does not have', () => {
  expect([1.5, -1, Number.NaN, Infinity, '1', null].map(isNumber)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})
