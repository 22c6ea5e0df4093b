import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distance, nearest, suggestion } from '../../../src/metadata/yaml/suggest.ts'

describe('nearest', () => {
  it.each([
    ['configre', 'configure'],
    ['sumary', 'summary'],
    ['evn', 'env'],
    ['licence', 'license'],
    ['zzzz', undefined],
    ['a', undefined],
  ])('of %s is %s', (word, expected) => {
    expect(nearest(word, ['name', 'summary', 'license', 'env', 'configure'])).toBe(expected)
  })

  it('is the first of equally near ones', () => {
    expect(nearest('cat', ['bat', 'hat'])).toBe('bat')
  })

  it('is a question in a hint', () => {
    expect(suggestion('evn', ['env'])).toBe('Did you mean "env"?')
    expect(suggestion('evn', ['other'])).toBeUndefined()
  })
})

describe('distance', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })

  it('is 0 for equal words only, the same both ways, and at most the longer length', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const found = distance(a, b)
        expect(found === 0).toBe(a === b)
        expect(distance(b, a)).toBe(found)
        expect(found).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(found).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })

  it('counts a swap of neighbours once', () => {
    expect(distance('evn', 'env')).toBe(1)
  })
})
