import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { readQuickly } from '../../../src/metadata/quick.ts'

/** Value that the real parser gives; a symbol when it finds a fault. */
function reallyRead(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false })
  return document.errors.length + document.warnings.length > 0 ? Symbol('fault') : document.toJS()
}

/** What is read quickly must be what the real parser reads. */
function compare(text: string): boolean {
  const quick = readQuickly(text)
  if (quick === undefined) return false
  // Compared without vitest's means, which take longer than the parsers.
  if (!isDeepStrictEqual(quick, reallyRead(text))) throw new Error(`Read differently: ${JSON.stringify(text)} as ${JSON.stringify(quick)}`)
  return true
}

const EXAMPLE = `# A comment.
name: gcc
version: 14.2.0
summary: Compiler, for C and C++ (it's one)
sources:
  # Why.
  - sha256: e162a5ef
    from: ['debian:gcc-14/gcc-14_{{version}}.orig.tar.gz', "npm:a@1"]
  - sha256: bd29
    from:
      - https://example.org/x
    unpack: false
inputs: [bootstrap/make, low/x-1.0]   # trailing
needs: []
configure:
- --disable-nls
# between
- --with-specs=%{!shared:%{-static}}
- 'it''s'
env:
  CC: '{{machine.triple}}-gcc'
  EMPTY: ''
steps:
  prepare: |
    tar xf a.tar

    # no comment
    	tab
      deeper
  build: |-
    make

memory: 900M
cost: 1300
timeout:
`

describe('readQuickly', () => {
  it('reads what recipes look like', () => {
    expect(compare(EXAMPLE)).toBe(true)
  })

  it('leaves to the real parser what it is not sure of', () => {
    for (const text of ['', 'a', '- a\n', 'a: b', 'a: &x b\n', 'a: *x\n', 'a: !!str b\n', 'a: {b: c}\n', 'a: >\n  b\n', 'a: |2\n  b\n', 'a: "b\\n"\n', 'a: b\na: c\n', 'a: 1.5\n', 'a: ~\n', 'a: Null\n', 'a: b\n  c\n', 'a: b: c\n', '---\na: b\n', 'a: [b,\n  c]\n', '\ta: b\n', 'a:\tb\n', 'a: b\r\n', '__proto__: a\n']) {
      expect(readQuickly(text), JSON.stringify(text)).toBeUndefined()
    }
  })

  it('reads all metadata of this checkout as the real parser does', () => {
    const layers = join(import.meta.dirname, '../../../layers')
    const files = readdirSync(layers, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
    for (const name of files) compare(readFileSync(join(layers, name), 'utf8'))
  })

  it('reads a damaged recipe as the real parser does, or not at all', () => {
    const pieces = fc.constantFrom(' ', '  ', '\n', ':', ': ', '-', '- ', '#', ' #', "'", '"', '|', '|-', '[', ']', ',', '{', '}', '&a', '*a', '!', '\t', '1', 'x', '~', '\\', '\n\n', '\n  ', '%', '?', '? ', '---\n', 'true')
    const edit = fc.record({ at: fc.nat(EXAMPLE.length), cut: fc.nat(6), piece: fc.oneof(pieces, fc.constant('')) })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        compare(edits.reduce((text, { at, cut, piece }) => text.slice(0, at) + piece + text.slice(at + cut), EXAMPLE))
      }),
      { numRuns: 1000 },
    )
  })

  it('reads random lines as the real parser does, or not at all', () => {
    const inline = fc.constantFrom('', 'x', "'a'", "'a''b'", '"a"', '[a, b]', "['a', \"b\", c-d]", '[]', '[ a ]', '[a,b]', '[-a, --b, -]', '[a:b, c: d]', '[1, true, 1.0, 0x1]', '|', '|-', '|+', '-x', '--x', '- x', '12', '012', '1.2.3', '+1', '.5', '1e3', '1_0', '0o7', 'true', 'yes', 'null', 'a: b', 'a:b', 'a #b', 'a#b', '#c', ' x ', 'a  b', '{a: b}', 'x,y', 'é', '$x', '(x)', '@x', '`x', '%x', '=x', '<<', '.', '..', '/', '-', "it's", 'a"b', "a'", '"a', '"a" b', "'a' #c", "'a'#c", '[a] #c', '[a]#c', '[a] b', '[a,]', '[,a]', '[a', 'a]', '.inf', '-.inf', '.nan', '-', '_', '--', '---', '...')
    const head = fc.constantFrom('a:', 'b:', 'c-d:', 'a: ', 'b: ', 'c: ', '- ', '- a: ', '- b:', '-', '', '# ', 'x', '1: ', 'true: ', '"a": ', "'b': ")
    const line = fc.tuple(fc.nat(5), head, inline).map(([indent, start, rest]) => ' '.repeat(indent) + start + rest)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 7 }), fc.boolean(), (lines, straight) => {
        compare(`${(straight ? lines.map((one) => one.replace(/^ +/, '')) : lines).join('\n')}\n`)
      }),
      { numRuns: 1000 },
    )
  })
})
