import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../../src/base/canonical.ts'
import { digestOf } from '../../../../src/base/digest.ts'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { NoReceipt, parseReceipt, receiptLine } from '../../../../src/report/receipts/receipt.ts'
import { artifactOf, receiptOf } from '../../../support/receipts.ts'

const INPUTS = [
  { recipe: 'toolchain/gcc' as RecipeId, artifact: artifactOf('toolchain/gcc') },
  { recipe: 'bootstrap/make' as RecipeId, key: digestOf('key of make') },
]
const LINE = receiptLine(receiptOf('base/zlib', { inputs: INPUTS }))

type Json = Record<string, Record<string, unknown>>

/** The receipt with something else at a path of its statement. */
function altered(path: string, value: unknown): string {
  const statement = JSON.parse(LINE) as Record<string, unknown>
  const names = path.split('.')
  const last = names.pop()!
  let at: Record<string, unknown> = statement
  for (const name of names) at = at[name] as Record<string, unknown>
  at[last] = value
  return canonicalJson(statement).replace(`"${DEEP}"`, '['.repeat(50_000) + ']'.repeat(50_000))
}

test('a receipt is an in-toto statement with SLSA provenance, and is read as it was written', () => {
  const statement = JSON.parse(LINE) as Json
  expect(statement).toMatchObject({
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ name: 'base/zlib', digest: { sha256: artifactOf('base/zlib') } }],
  })
  const { buildDefinition } = statement['predicate'] as Json
  expect(buildDefinition!['resolvedDependencies']).toEqual([
    { name: 'source/base/zlib.tar.xz', digest: { sha256: digestOf('source of base/zlib') } },
    { name: 'input/toolchain/gcc', digest: { sha256: artifactOf('toolchain/gcc') } },
    { name: 'input/bootstrap/make', uri: `fixpoint:key/${digestOf('key of make')}` },
  ])
  expect(parseReceipt(LINE)).toEqual(receiptOf('base/zlib', { inputs: INPUTS }))
})

const PARAMETERS = 'predicate.buildDefinition.externalParameters'
const DEPENDENCIES = 'predicate.buildDefinition.resolvedDependencies'
/** Stands for a value that is too deep for a recursive reader, and for JSON.stringify. */
const DEEP = 'deep'

describe('a receipt is refused', () => {
  test.each([
    ['with another key', `${PARAMETERS}.key`, digestOf('other')],
    ['with another script', `${PARAMETERS}.action.steps.0.script`, 'true'],
    ['with another input in its action', `${PARAMETERS}.action.inputs.0.artifact`, digestOf('x')],
    ['with a field more in its action', `${PARAMETERS}.action.more`, 1],
    ['with another input among its dependencies', `${DEPENDENCIES}.1.digest.sha256`, digestOf('x')],
    ['without its dependencies', DEPENDENCIES, []],
    ['with a dependency twice', `${DEPENDENCIES}.3`, { name: 'input/x', uri: 'y' }],
    ['with a dependency that is deep', `${DEPENDENCIES}.3`, DEEP],
    ['with a version that is deep', 'predicate.runDetails.builder.version.x', DEEP],
    ['with two subjects', 'subject.1', { name: 'x', digest: { sha256: digestOf('x') } }],
    ['about another recipe', 'subject.0.name', 'base/zstd'],
    ['with no digest', 'subject.0.digest', {}],
    ['with a name of two lines', `${PARAMETERS}.recipe`, 'base/zlib\nfake/line'],
    ['with a path as a name', `${PARAMETERS}.recipe`, '../../etc'],
    ['with a builder in words', 'predicate.runDetails.builder.id', 'fixpoint:builder/me@host'],
    [
      'with a machine that would print two lines',
      'predicate.buildDefinition.internalParameters.machine.distribution',
      'debian\nfake',
    ],
    ['of another kind', 'predicateType', 'https://slsa.dev/provenance/v0.2'],
  ])('%s', (_, path, value) => {
    expect(() => parseReceipt(altered(path, value))).toThrow(NoReceipt)
  })

  const twice = (field: string, value: string): string =>
    LINE.replace(`"${field}":`, `"${field}":${value},"${field}":`)
  test.each([
    ['a field twice', twice('subject', '[]')],
    ['a field of its action twice', twice('steps', '[{"name":"build","script":"evil"}]')],
    ['the same field twice', twice('predicateType', '"https://slsa.dev/provenance/v1"')],
    ['a field __proto__', LINE.replace('{', '{"__proto__":{"x":1},')],
    ['a variable __proto__', LINE.replace('"env":{', '"env":{"__proto__":"x",')],
    ['a field __proto__ in its action', LINE.replace('"arch"', '"__proto__":{},"arch"')],
    ['a field more', altered('more', 1)],
    ['a field more in its subject', altered('subject.0.digest.sha512', '00')],
    ['a carriage return', `${LINE}\r`],
    ['a blank before it', ` ${LINE}`],
    ['a blank within', LINE.replace(':', ': ')],
    ['a mark of its byte order', `\ufeff${LINE}`],
    ['a number in another form', LINE.replace('"keyVersion":2', '"keyVersion":2.0')],
    ['a character in another form', LINE.replace('base', '\\u0062ase')],
    ['a slash in another form', LINE.replace('base/', 'base\\/')],
    ['its fields in another order', JSON.stringify({ subject: 0, ...(JSON.parse(LINE) as Json) })],
  ])('with %s', (_, line) => {
    expect(line).not.toBe(LINE)
    expect(() => parseReceipt(line)).toThrow(NoReceipt)
  })

  test.each(['', 'x', '{}', '[]', 'null', '1', '"a"', '['])('as %j', (line) => {
    expect(() => parseReceipt(line)).toThrow(NoReceipt)
  })
})

test('a thousand mutated receipts are refused or read, and never crash the reader', () => {
  const position = fc.nat(LINE.length - 1)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(position, fc.string({ maxLength: 6, unit: 'binary' }), fc.nat(30)), {
        minLength: 1,
        maxLength: 4,
      }),
      (edits) => {
        let line = LINE
        for (const [at, text, gone] of edits)
          line = line.slice(0, at) + text + line.slice(at + gone)
        try {
          parseReceipt(line)
        } catch (error) {
          if (!(error instanceof NoReceipt)) throw error
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('a changed value anywhere is refused, unless it says something else of the same', () => {
  const leaves: string[] = []
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value))
        walk(inner, path ? `${path}.${name}` : name)
    else leaves.push(path)
  }
  walk(JSON.parse(LINE), '')
  const free = leaves.filter((path) => {
    try {
      parseReceipt(altered(path, digestOf('another')))
      return true
    } catch {
      return false
    }
  })
  // What a signature alone protects.
  expect(free).toEqual([
    'predicate.buildDefinition.internalParameters.machine.distribution',
    'predicate.buildDefinition.internalParameters.machine.kernel',
    'predicate.buildDefinition.internalParameters.machine.processor',
    'predicate.runDetails.builder.version.fixpoint',
    'predicate.runDetails.builder.version.node',
    'subject.0.digest.sha256',
  ])
})
