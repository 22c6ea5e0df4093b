import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isInside, parseKitList } from '../../../src/archive/kit/lists.ts'
import { readme, readTexts } from '../../../src/archive/kit/texts.ts'
import { digestOf } from '../../../src/base/digest.ts'
import { CHECKOUT } from '../../support/kits.ts'

const DIGEST = digestOf('')
const LIST = `${DIGEST}  data/a\n${DIGEST}  data/b c\n${DIGEST}  data/%25%0A\n`

const kinds = (text: string): string[] =>
  parseKitList(text, 64, 'list').faults.map((fault) =>
    'line' in fault ? `${fault.line} ${fault.kind}` : fault.kind,
  )

it('a list names paths, with line ends and percent signs as BagIt writes them', () => {
  const { entries, faults } = parseKitList(`${DIGEST}  data/a\n${DIGEST}  data/b c\n`, 64, 'list')
  expect([...entries]).toEqual([
    ['data/a', DIGEST],
    ['data/b c', DIGEST],
  ])
  expect(faults).toEqual([])
  expect([...parseKitList(`${DIGEST} *data/50%25`, 64, 'list').entries.keys()]).toEqual([
    'data/50%',
  ])
})

it.each([
  ['', ['no-list']],
  ['\n', ['1 garbled']],
  [`${DIGEST.toUpperCase()}  a\n`, ['1 garbled']],
  [`${DIGEST}a  a\n`, ['1 garbled']],
  [`${DIGEST.slice(1)}  a\n`, ['1 garbled']],
  [`${DIGEST}\n`, ['1 garbled']],
  [`${DIGEST}  \n`, ['1 garbled']],
  [`${DIGEST}  a\n${DIGEST}  a\n`, ['2 repeated']],
  [`${DIGEST}  a\r\n`, ['1 garbled']],
  [`${DIGEST}  ../a\n`, ['1 unsafe']],
  [`${DIGEST}  a/../../b\n`, ['1 unsafe']],
  [`${DIGEST}  /a\n`, ['1 unsafe']],
  [`${DIGEST}  ./a\n`, ['1 unsafe']],
  [`${DIGEST}  a//b\n`, ['1 unsafe']],
  [`${DIGEST}  a/\n`, ['1 unsafe']],
  [`${DIGEST}  a\\b\n`, ['1 unsafe']],
  [`${DIGEST}  a%0Ab\n`, ['1 unsafe']],
  [`${DIGEST}  a\u001b[31m\n`, ['1 unsafe']],
  [`${DIGEST}  ${'x/'.repeat(2500)}y\n`, ['1 unsafe']],
  [`${'x'.repeat(10_000_000)}\n${DIGEST}  a\n`, ['1 garbled']],
] as const)('each line that is none is named (%#)', (text, faults) => {
  expect(kinds(text)).toEqual(faults)
})

it('1,000 mutated lists: no path leads out, and every line is an entry or a fault', () => {
  const pieces = fc.constantFrom('/', '..', '\0', '\n', '\r', '%0a', '%', ' ', '\\', 'é', DIGEST)
  const mutation = fc.tuple(fc.nat(LIST.length), fc.nat(40), pieces)
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let text = LIST
      for (const [at, cut, piece] of mutations)
        text = text.slice(0, at) + piece + text.slice(at + cut)
      const { entries, faults } = parseKitList(text, 64, 'list')
      for (const path of entries.keys()) {
        expect(isInside(path)).toBe(true)
        expect(path).not.toMatch(/^\/|(^|\/)\.\.(\/|$)|[\0\n\r]/)
      }
      const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n').length
      expect(entries.size + faults.length).toBe(lines)
    }),
    { numRuns: 1000 },
  )
})

it.each([true, false])('the README is plain ASCII in 72 columns (tools: %s)', async (tools) => {
  const images = ['appliance.img', 'tiny.img'].map((name) => ({ name, sha256: digestOf(name) }))
  const text = readme(await readTexts(CHECKOUT), { images, sources: 113, tools })
  expect(text).toMatch(/^[\n -~]+$/)
  expect(text.split('\n').filter((line) => line.length > 72)).toEqual([])
  expect(text).not.toMatch(/\n\n\n/)
  expect(text.includes('data/tools/fixpoint')).toBe(tools)
})
