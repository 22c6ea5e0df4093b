import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import {
  inQuotes,
  withElement,
  withField,
  withTexts,
  yamlWord,
} from '../../../src/author/yaml-text.ts'

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

/** Fields of the maps in the tests below, in their order. */
const TOP = ['amends', 'name', 'set', 'append', 'remove', 'inputs', 'config', 'steps']
const APPEND = ['sources', 'inputs', 'config', 'make']

test.each([
  ['a list in brackets', 'config: [a, b] # why\n', 'config: [a, b, x] # why\n'],
  ['an empty one', 'config: []\n', 'config: [x]\n'],
  [
    'a list of lines',
    'config:\n  - a # one\n  - b\nsteps: {}\n',
    'config:\n  - a # one\n  - b\n  - x\nsteps: {}\n',
  ],
  ['a list at the end of a file', 'config:\n- a', 'config:\n- a\n- x\n'],
])('adds an element to %s', (_, yaml, wanted) => {
  expect(withElement(yaml, { path: ['config'], orders: [TOP], text: 'x' })).toBe(wanted)
})

test.each([
  ['a new map', 'amends: a/b\n', 'amends: a/b\nappend:\n  config: [x]\n'],
  [
    'a new map between others',
    'name: a\nset:\n  make: [y] # z\n# Why\nsteps:\n  build: |\n    m\n\n',
    'name: a\nset:\n  make: [y] # z\nappend:\n  config: [x]\n# Why\nsteps:\n  build: |\n    m\n\n',
  ],
  [
    'a map that is there',
    'append:\n  inputs: [a/b]\n  # Why\n  make:\n    - y\n',
    'append:\n  inputs: [a/b]\n  config: [x]\n  # Why\n  make:\n    - y\n',
  ],
  ['a map, first', 'append:\n  make: [y]\n', 'append:\n  config: [x]\n  make: [y]\n'],
  [
    'a map of wide indents',
    'append:\n    inputs: [y]\n',
    'append:\n    inputs: [y]\n    config: [x]\n',
  ],
  ['a list in a map', 'append:\n  config: [a]\n', 'append:\n  config: [a, x]\n'],
  ['a file without an end of line', 'amends: a/b', 'amends: a/b\nappend:\n  config: [x]\n'],
])('adds an element to %s', (_, yaml, wanted) => {
  const change = { path: ['append', 'config'], orders: [TOP, APPEND], text: 'x' }
  const changed = withElement(yaml, change)
  expect(changed).toBe(wanted)
  expect(parse(changed ?? '')).toHaveProperty('append.config')
})

test.each([
  ['a map in braces', 'append: {inputs: [a/b]}\n'],
  ['a word', 'append:\n  config: a\n'],
  ['an empty file', ''],
])('adds nothing to %s', (_, yaml) => {
  const change = { path: ['append', 'config'], orders: [TOP, APPEND], text: 'x' }
  expect(withElement(yaml, change)).toBeUndefined()
})

test.each([
  ['a new map', 'amends: a/b\n', 'amends: a/b\nset:\n  inputs:\n    - p: 1\n      q: 2\n'],
  [
    'a map that is there',
    'set:\n  sources: [] # none\n  make: [y]\n',
    'set:\n  sources: [] # none\n  inputs:\n    - p: 1\n      q: 2\n  make: [y]\n',
  ],
])('adds a field of several lines to %s', (_, yaml, wanted) => {
  const change = { path: ['set', 'inputs'], orders: [TOP, APPEND], value: '- p: 1\n  q: 2' }
  expect(withField(yaml, change)).toBe(wanted)
})

test.each([['set: {make: [y]}\n'], ['set:\n  inputs: [y]\n'], ['set: x\n'], ['']])(
  'adds no field to %j',
  (yaml) => {
    const change = { path: ['set', 'inputs'], orders: [TOP, APPEND], value: '1' }
    expect(withField(yaml, change)).toBeUndefined()
  },
)

test('quotes elements that YAML takes for something else', () => {
  const change = { path: ['config'], orders: [TOP], text: '1.0' }
  expect(withElement('config: [a]\n', change)).toBe("config: [a, '1.0']\n")
})

test('a byte order mark stays where it is', () => {
  const change = { path: ['config'], orders: [TOP], text: 'x' }
  expect(withElement('\uFEFFsteps: {}\n', change)).toBe('\uFEFFconfig: [x]\nsteps: {}\n')
  expect(withElement('\uFEFFname: a\n', change)).toBe('\uFEFFname: a\nconfig: [x]\n')
  expect(withTexts('\uFEFFversion: 1\n', [{ path: ['version'], text: 'a' }])).toBe(
    '\uFEFFversion: a\n',
  )
})

test.each([
  ['../layers.yaml', '../layers.yaml'],
  ['ck # x', "'ck # x'"],
  ['ck: y', "'ck: y'"],
  ['a, b', "'a, b'"],
  ["it's", "it's"],
  ['true', "'true'"],
  ['1e3', "'1e3'"],
  ['null', "'null'"],
  ['', "''"],
  ['a\nb', '"a\\nb"'],
  ['\r', '"\\r"'],
])('%j is written as %s', (text, wanted) => {
  expect(yamlWord(text)).toBe(wanted)
})

test('whatever a text is, YAML reads it again, alone and in a list', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(!/[\ud800-\udfff]/u.test(text))
      for (const written of [yamlWord(text), inQuotes(text)])
        expect(parse(`a: ${written}\nb: [${written}]\n`)).toEqual({ a: text, b: [text] })
    }),
  )
})
