import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linesOf } from '../../../src/base/lines.ts'

const part = (text: string, first: number, last: number): string | undefined =>
  linesOf(Buffer.from(text), { first, last })?.toString()

it('takes lines with their newlines, the last one without where there is none', () => {
  expect(part('a\nb\nc\n', 1, 1)).toBe('a\n')
  expect(part('a\nb\nc\n', 2, 3)).toBe('b\nc\n')
  expect(part('a\nb\nc', 3, 3)).toBe('c')
  expect(part('\n\n', 2, 2)).toBe('\n')
})

it('knows when there are not so many', () => {
  expect(part('', 1, 1)).toBeUndefined()
  expect(part('a\n', 1, 2)).toBeUndefined()
  expect(part('a\nb', 3, 9)).toBeUndefined()
})

it('takes what splitting at newlines does', () => {
  const line = fc.string({ maxLength: 3 }).map((text) => text.replaceAll('\n', ''))
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.nat(9), fc.nat(9), (lines, from, more) => {
      const text = lines.map((one) => `${one}\n`).join('')
      const [first, last] = [from + 1, from + 1 + more]
      const wanted = lines.slice(first - 1, last).map((one) => `${one}\n`)
      expect(part(text, first, last)).toBe(last > lines.length ? undefined : wanted.join(''))
    }),
  )
})
