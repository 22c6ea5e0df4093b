import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { withTexts } from '../../../src/author/yaml-text.ts'

const RECIPE = `# A package
name: a
version: 1.2   # of last year
sources:
  - sha256: 'abc'   # checked
    from: ["x-{{version}}"]
`

test('changes what is named, and leaves comments, order and blanks', () => {
  expect(
    withTexts(RECIPE, [
      { path: ['version'], text: '1.3' },
      { path: ['sources', 0, 'sha256'], text: 'def' },
    ]),
  ).toBe(RECIPE.replace('1.2', "'1.3'").replace("'abc'", "'def'"))
})

test.each([
  ['a missing field', 'name: a\n', ['version']],
  ['a list', 'version: [1]\n', ['version']],
  ['a text of several lines', 'version: |\n  1\n  2\n', ['version']],
])('knows no place for %s', (_, yaml, path) => {
  expect(withTexts(yaml, [{ path, text: 'x' }])).toBeUndefined()
})

test('whatever the new text is, the file then has it', () => {
  const quote = fc.constantFrom('', "'", '"')
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), quote, (text, mark) => {
      fc.pre(!/[\n\r\u0085\u2028\u2029\u0000-\u001f]/.test(text))
      const changed = withTexts(`version: ${mark}old${mark} # note\n`, [
        { path: ['version'], text },
      ])
      expect(parse(changed ?? '')).toEqual({ version: text })
      expect(stringify(parse(changed ?? ''))).toBeTruthy()
    }),
  )
})
