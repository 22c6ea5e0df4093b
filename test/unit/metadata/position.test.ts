import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { positionAt } from '../../../src/metadata/yaml/position.ts'

describe('placeAt', () => {
  it.each([
    ['abc', 0, 3, 1, 1, 'abc\n^^^'],
    ['abc\ndef\n', 5, 6, 2, 2, 'def\n ^'],
    ['abc\ndef\n', 4, 99, 2, 1, 'def\n^^^'],
    ['abc\n', 4, 5, 2, 1, '\n^'],
    ['', 0, 1, 1, 1, '\n^'],
    ['\n\nx', 2, 3, 3, 1, 'x\n^'],
    ['\nx', 0, 1, 1, 1, '\n^'],
    ['\ta: b', 4, 5, 1, 5, '\ta: b\n\t   ^'],
    ['a\r\nb\r\n', 0, 1, 1, 1, 'a\n^'],
    ['a\u001b[2Jb', 0, 1, 1, 1, 'a?[2Jb\n^'],
  ])('%j from %d to %d', (text, start, end, line, column, frame) => {
    expect(positionAt('f', text, start, end)).toEqual({ file: 'f', line, column, frame })
  })

  it('shows long lines around the place', () => {
    const text = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`
    const { frame, column } = positionAt('f', text, 500, 504)
    const [line = '', carets = ''] = frame?.split('\n') ?? []
    expect(column).toBe(501)
    expect(line.length).toBeLessThanOrEqual(100)
    expect(line.slice(carets.indexOf('^'), carets.length)).toBe('HERE')
  })

  it('names a line and column that lead back to the offset', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', '\t', ' ', 'é')), fc.nat(), (parts, seed) => {
        const text = parts.join('')
        const start = seed % (text.length + 1)
        const { line = 0, column = 0 } = positionAt('f', text, start, start + 1)
        const before = text.split('\n').slice(0, line - 1)
        expect(before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1).toBe(start)
      }),
    )
  })
})
