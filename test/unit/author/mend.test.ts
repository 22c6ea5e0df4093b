import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { mend } from '../../../src/author/mend.ts'
import { recipeSchema } from '../../../src/metadata/format/schema.ts'

const mended = (text: string): string => {
  const result = mend(text, recipeSchema)
  return 'refusal' in result ? `refused: ${result.refusal}` : result.text
}

test('fields move with the comments above them, and the head of the file stays', () => {
  expect(
    mended(
      '# About the file\n\nversion: "1.0" # beside it\nname: a\n# Why that style\n# is used\n' +
        'style: plain\nsummary: A package\nsteps:\n  # inner\n  build: |\n    make\n',
    ),
  ).toBe(
    '# About the file\n\nname: a\nversion: "1.0" # beside it\nsummary: A package\n' +
      '# Why that style\n# is used\nstyle: plain\nsteps:\n  # inner\n  build: |\n    make\n',
  )
})

test.each([
  ['quotes of a version', 'name: a\nversion: 1.10 # new\n', "name: a\nversion: '1.10' # new\n"],
  ['a newline at the end', 'name: a', 'name: a\n'],
  ['fields of a source', 'sources:\n  - from: [a]\n    sha256: b\n', undefined],
  ['fields in braces', 'sources: [{from: [a], sha256: b}]\n', undefined],
  ['nothing to mend', 'name: a # x\nversion: b\n', 'name: a # x\nversion: b\n'],
  ['an empty file', '', ''],
  [
    'fields behind a byte order mark',
    '\uFEFFversion: 1.0\nname: a',
    "\uFEFFname: a\nversion: '1.0'\n",
  ],
  ['nothing but a byte order mark', '\uFEFF', '\uFEFF'],
])('%s', (_, text, wanted) => {
  const after = mended(text)
  if (wanted !== undefined) expect(after).toBe(wanted)
  else {
    expect(parse(after)).toEqual(parse(text))
    expect(after.indexOf('sha256:')).toBeLessThan(after.indexOf('from:'))
  }
  expect(mended(after)).toBe(after)
})

test.each([
  ['what is no YAML', 'name: [\n'],
  ['comments between fields further in', 'sources:\n  - from: [a]\n    # of b\n    sha256: b\n'],
])('%s stays as it is', (_, text) => {
  expect(mended(text)).toMatch(/^refused: /)
})

test('whatever the order, no word is lost, and a second run changes nothing', () => {
  const lines = [
    'name: a\n',
    '# of the version\nversion: 1.0\n',
    'summary: "A # sign" # beside\n',
    '\n# of the style\nstyle: plain\n',
    'env:\n  # inner\n  A: b\n',
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray(lines, { minLength: 1 }), (some) => {
      const text = some.join('')
      const after = mended(text)
      expect(after).not.toMatch(/^refused/)
      expect(after.split('\n').filter(Boolean).sort()).toEqual(
        text.replace('1.0', "'1.0'").split('\n').filter(Boolean).sort(),
      )
      expect(mended(after)).toBe(after)
    }),
  )
})
