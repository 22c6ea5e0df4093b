import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { visible } from '../../../src/base/visible.ts'
import { editList, parseList, parseSums } from '../../../src/fetch/mirror/list.ts'

const A = digestOf('a')
const B = digestOf('b')

/** Faults as `KIND LINE`. */
function faultsOf(text: string): string[] {
  return parseList(text).faults.map(({ kind, line }) => `${kind} ${line}`)
}

test.each([
  ['', []],
  [`# made by hand\n\n${A}  a\n${A} *b\n${A}  ./c\n`, []],
  [`${A}  a`, []],
  [`${A}  a\n${A}  a\n`, []],
  [`${A}  a\n${B}  a\n`, ['repeated 2']],
  [`${A}  a\nnothing\n${A.slice(1)}  a\n${A.toUpperCase()}  a\n`, ['garbled 2-4']],
  [`${A}\n${A}  \n\\${A}  a\\nb\n${A}  a\r\n`, ['garbled 1-4']],
  [`${A}  ../a\n${A}  /a\n${A}  a/b\n${A}  ..\n${A}  .\n`, ['unsafe 1-5']],
  [`${A}  SHA256SUMS\n${A}  sha256sums\n${A}  ./SHA256SUMS\n`, ['unsafe 1-3']],
  [`${A}  a\u001b[31m\n${A}  a\tb\n${A}  ${'a'.repeat(256)}\n`, ['unsafe 1-3']],
  [`${A}  ${'a'.repeat(5000)}\n`, ['garbled 1']],
])('faults of %j', (text, wanted) => {
  const all = wanted.flatMap((one) => {
    const [kind = '', lines = ''] = one.split(' ')
    const [first = 0, last = first] = lines.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, at) => `${kind} ${first + at}`)
  })
  expect(faultsOf(text)).toEqual(all)
})

test('an unsafe name is in its fault, and not among the files; of contradictions the last counts', () => {
  const { sums, faults } = parseList(`${A}  ../etc/passwd\n${A}  a\n${B}  a\n`)
  expect([...sums]).toEqual([['a', B]])
  expect(faults[0]).toEqual({ kind: 'unsafe', path: 'SHA256SUMS', line: 1, name: '../etc/passwd' })
})

test('a list of a million bad lines has a thousand faults; one endless line has one', () => {
  const { sums, faults } = parseList('x\n'.repeat(1_000_000) + `${A}  a\n`)
  expect([sums.size, faults.length]).toEqual([1, 1000])
  expect(faultsOf(`${A}  ${'x'.repeat(10 << 20)}`)).toEqual(['garbled 1'])
})

test('an edit changes the named lines only, byte by byte', () => {
  const odd = Buffer.from(`\xff\xfe\r\n${A}  a\n# ${A}  a\n${B} *b`, 'latin1')
  expect(editList(odd, { drop: new Set(['a']) }).toString('latin1')).toBe(
    `\xff\xfe\r\n# ${A}  a\n${B} *b`,
  )
  expect(editList(odd, { add: [{ name: 'c', digest: A }] }).toString('latin1')).toBe(
    `${odd.toString('latin1')}\n${A}  c\n`,
  )
  expect(editList(Buffer.from(''), {}).toString()).toBe('')
})

test('for all lists: what is added is listed, what is dropped is not, the rest stays', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 9 })
    .filter((text) => /^[^/.]+$/.test(text) && visible(text) === text)
  const line = fc.oneof(
    name.map((text) => `${A}  ${text}`),
    fc.string().map((text) => text.replaceAll('\n', '')),
  )
  fc.assert(
    fc.property(fc.array(line), name, name, (lines, added, dropped) => {
      const list = Buffer.from(lines.join('\n'))
      const before = parseSums(list.toString())
      const after = parseSums(
        editList(list, {
          drop: new Set([dropped]),
          add: [{ name: added, digest: B }],
        }).toString(),
      )
      const wanted = new Map([...before].filter(([text]) => text !== dropped)).set(added, B)
      expect(new Map(after)).toEqual(wanted)
    }),
  )
})
