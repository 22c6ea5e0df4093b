import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { FileSource, Recipe } from '../../../src/metadata/model.ts'
import { compareDocuments } from '../../../src/plan/compare-documents.ts'
import { actionDocument, keyOf, type ActionDocument } from '../../../src/plan/action-document.ts'
import { toyRecipe } from '../../support/toy.ts'

const d = digestOf
const id = (text: string): Recipe['id'] => text as Recipe['id']

const RECIPE = toyRecipe('base/a', 'make', {
  env: { CFLAGS: '-O2' },
  sources: [
    {
      kind: 'file',
      name: 'a.tar',
      sha256: d('a.tar'),
      from: ['https://example.org/a.tar'],
      to: '.',
    },
    { kind: 'tree', name: 'tree', digest: d('tree'), files: [], to: undefined },
  ],
  patches: [{ name: '1.patch', path: '/here/1.patch', digest: d('patch'), executable: false }],
  files: [{ name: 'conf', path: '/here/conf', digest: d('conf'), executable: true }],
})
const DOCUMENT = actionDocument(
  RECIPE,
  'x86_64',
  [
    { recipe: id('base/b'), artifact: d('b') },
    { recipe: id('host/c'), key: d('c') },
  ],
  [{ recipe: id('base/d'), version: '1', key: d('k'), artifact: d('d') }],
)

describe('keys', () => {
  it('are what they always were', () => {
    // Another key here makes every store's artifacts unfindable: raise KEY_VERSION only on purpose.
    expect(keyOf(DOCUMENT)).toMatchInlineSnapshot(
      `"210d10a866d775c68e9d887e76230929086efad755d3a1e5a6b4a8b6f51c4b83"`,
    )
    expect(
      keyOf(actionDocument(toyRecipe('base/empty', ''), 'x86_64', [], [])),
    ).toMatchInlineSnapshot(`"2d54ca58ea0684e8d339fd0fc496d05eff5f8dd006f82acda56f57ae33bac080"`)
  })

  const changes: {
    readonly [Field in keyof Required<ActionDocument>]: readonly ActionDocument[Field][]
  } = {
    keyVersion: [1],
    arch: ['aarch64'],
    host: [true],
    image: [true],
    env: [{}, { CFLAGS: '-O3' }, { CXXFLAGS: '-O2' }, { CFLAGS: '-O2', A: '' }],
    steps: [
      [],
      [{ name: 'build', script: 'make ' }],
      [{ name: 'make', script: 'make' }],
      [...DOCUMENT.steps, ...DOCUMENT.steps],
    ],
    sources: [
      [],
      [...DOCUMENT.sources].reverse(),
      ...(['name', 'digest', 'to'] as const).map((field) => [
        { ...DOCUMENT.sources[0]!, [field]: 'x' },
        DOCUMENT.sources[1]!,
      ]),
      [{ ...DOCUMENT.sources[0]!, to: null }, DOCUMENT.sources[1]!],
    ],
    patches: [[], [{ name: '1.patch', digest: d('x') }], [{ name: '2.patch', digest: d('patch') }]],
    files: [
      [],
      [{ name: 'conf', digest: d('conf'), executable: false }],
      [{ name: 'conf', digest: d('x'), executable: true }],
      [{ name: 'x', digest: d('conf'), executable: true }],
    ],
    inputs: [
      [],
      [DOCUMENT.inputs[0]!],
      [{ recipe: id('base/b'), artifact: d('x') }, DOCUMENT.inputs[1]!],
      [{ recipe: id('base/x'), artifact: d('b') }, DOCUMENT.inputs[1]!],
      [{ recipe: id('base/b'), key: d('b') }, DOCUMENT.inputs[1]!],
    ],
    contents: [
      [],
      ...(['recipe', 'version', 'key', 'artifact'] as const).map((field) => [
        { ...DOCUMENT.contents[0]!, [field]: 'x' },
      ]),
    ],
    mirror: [[], [{ name: 'a.tar', digest: d('a.tar') }], [{ name: 'b.tar', digest: d('a.tar') }]],
  }
  it.each(Object.keys(changes) as (keyof ActionDocument)[])('change with %s', (field) => {
    const keys = changes[field].map((value) => keyOf({ ...DOCUMENT, [field]: value }))
    expect(keys.length).toBeGreaterThan(0)
    expect(new Set([keyOf(DOCUMENT), ...keys]).size).toBe(keys.length + 1)
  })

  it('of a recipe do not change with what is no input', () => {
    const key = (recipe: Recipe): string =>
      keyOf(actionDocument(recipe, 'x86_64', DOCUMENT.inputs, DOCUMENT.contents))
    const same: Partial<Recipe>[] = [
      { summary: 'other' },
      { license: 'other' },
      { linkedLicense: 'other' },
      { cpe: 'a:other:other' },
      {
        sources: RECIPE.sources.map((source) => ({
          ...source,
          license: 'other',
          licenseFiles: [{ path: 'COPYING', sha256: d('text'), lines: { first: 1, last: 2 } }],
        })),
      },
      { memory: 1 },
      { cost: 1e6 },
      { timeout: 1 },
      { origins: { steps: [{ file: 'x' }] } },
      { version: '2' },
      { needs: [id('base/x')] },
      { patches: RECIPE.patches.map((patch) => ({ ...patch, path: '/elsewhere' })) },
      {
        sources: RECIPE.sources.map((source) =>
          source.kind === 'file' ? { ...source, from: ['file:/elsewhere'] } : source,
        ),
      },
    ]
    for (const change of same) expect(key({ ...RECIPE, ...change })).toBe(key(RECIPE))
  })

  it('do not depend on the order of variables', () => {
    expect(keyOf({ ...DOCUMENT, env: { A: '1', B: '2' } })).toBe(
      keyOf({ ...DOCUMENT, env: { B: '2', A: '1' } }),
    )
  })
})

describe('the difference of two documents', () => {
  it('is nothing for the same, and something for any other', () => {
    expect(compareDocuments(DOCUMENT, JSON.parse(JSON.stringify(DOCUMENT)))).toEqual([])
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [before, after] = [
          JSON.parse(JSON.stringify({ a })) as object,
          JSON.parse(JSON.stringify({ a: b })) as object,
        ]
        expect(compareDocuments(before, before)).toEqual([])
        if (keyOf(before as ActionDocument) !== keyOf(after as ActionDocument))
          expect(compareDocuments(before, after)).not.toEqual([])
      }),
    )
  })

  it.each<[string, Partial<Record<keyof ActionDocument, unknown>>, string[]]>([
    ['a variable', { env: { CFLAGS: '-O3' } }, ['env.CFLAGS: "-O2" -> "-O3"']],
    ['a variable more', { env: { CFLAGS: '-O2', A: '1' } }, ['env.A: nothing -> "1"']],
    [
      'a line of a step',
      { steps: [{ name: 'build', script: 'make\nmore' }] },
      ['steps.build.script: line 2: nothing -> "more"'],
    ],
    [
      'a step more in front',
      { steps: [{ name: 'prepare', script: ':' }, ...DOCUMENT.steps] },
      ['steps: added prepare'],
    ],
    ['an input less', { inputs: [DOCUMENT.inputs[1]] }, ['inputs: removed base/b']],
    [
      'another input',
      { inputs: [{ recipe: 'base/b', artifact: d('x') }, DOCUMENT.inputs[1]] },
      [`inputs.base/b.artifact: "${d('b')}" -> "${d('x')}"`],
    ],
    [
      'another order of sources',
      { sources: [...DOCUMENT.sources].reverse() },
      ['sources: order changed'],
    ],
    ['no list at all', { patches: null }, [`patches: ${JSON.stringify(DOCUMENT.patches)} -> null`]],
  ])('names %s', (_name, change, lines) => {
    expect(compareDocuments(DOCUMENT, { ...DOCUMENT, ...change })).toEqual(lines)
  })

  it('state the files of a mirror once and by name, and by digest where two share one', () => {
    const source = (name: string, content: string): FileSource => ({
      kind: 'file',
      name,
      sha256: d(content),
      from: [],
      to: undefined,
    })
    const sources = [
      source('z', '1'),
      source('a', '2'),
      source('z', '1'),
      source('twice', '3'),
      source('twice', '4'),
    ]
    const { mirror } = actionDocument(RECIPE, 'x86_64', [], [], sources)
    expect(mirror).toEqual(
      [
        { name: 'a', digest: d('2') },
        { name: 'z', digest: d('1') },
        { name: d('3'), digest: d('3') },
        { name: d('4'), digest: d('4') },
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    )
  })
})
