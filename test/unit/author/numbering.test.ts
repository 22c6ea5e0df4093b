import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numberingAfter } from '../../../src/author/patches.ts'
import { byCodeUnit } from '../../../src/base/order.ts'

test.each([
  [[], '0001'],
  [['01-a.patch'], '02'],
  [['02-b.patch', '01-a.patch'], '03'],
  [['0009-x.patch'], '0010'],
  [['fix.patch'], 'z0001'],
])('after %j comes %s', (names, first) => {
  expect(numberingAfter(names)(0)).toBe(first)
})

test('new names are sorted after old ones, in their own order', () => {
  const name = fc.integer({ min: 0, max: 90 }).map((n) => `${String(n).padStart(2, '0')}-x.patch`)
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const numbering = numberingAfter(names)
      const added = [0, 1, 2].map((index) => `${numbering(index)}-y.patch`)
      expect([...names, ...added].sort(byCodeUnit).slice(-3)).toEqual(added)
    }),
  )
})
