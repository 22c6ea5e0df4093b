import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../../src/base/digest.ts'
import { FixpointError } from '../../../../src/base/error.ts'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { visible } from '../../../../src/base/visible.ts'
import type { Facts } from '../../../../src/report/page/facts.ts'
import { renderPage } from '../../../../src/report/page/render.ts'
import { readPageTexts, type PageTexts } from '../../../../src/report/page/texts.ts'
import { confirm } from '../../../../src/report/receipts/confirm.ts'
import { factsOf, fileEntry, pageMetadata, recordOf, using } from '../../../support/page.ts'
import { receiptOf } from '../../../support/receipts.ts'
import { toyMetadata } from '../../../support/toy.ts'
import { CHECKOUT } from '../../../support/tree.ts'

let texts: PageTexts

beforeAll(async () => {
  texts = await readPageTexts(CHECKOUT)
})

const render = (facts: Facts = factsOf()): string => renderPage(facts, texts)

/** The page without its style and scripts. */
function bodyOf(page: string): string {
  return page.replace(/<(style|script)[^>]*>[^]*?<\/\1>/g, '')
}

describe('the page', () => {
  test('says what is in the image and how it was built', () => {
    const body = bodyOf(render())
    const said = ['5.0 MB', 'Debian GNU&#x2F;Linux 12', 'GPL-2.0-only', 'parsers', '1 min 40 s']
    for (const text of said) expect(body).toContain(text)
    expect(body).not.toContain('class="notice"')
    // Sources, search without a script, and receipts.
    expect(body.match(/class="absent"/g)).toHaveLength(3)
    expect(body).toContain('No receipts were given')
  })

  test('is the same bytes each time', () => {
    expect(render()).toBe(render())
  })

  test('loads nothing, and allows no style or script but its own', () => {
    const page = render()
    const blocks = (tag: string): string[] =>
      [...page.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))].map(([, text]) => text!)
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!
    const allowed = policy.replace(/&#(x?)([0-9a-fA-F]+);/g, (_, hex: string, code: string) =>
      String.fromCodePoint(Number.parseInt(code, hex === '' ? 10 : 16)),
    )
    expect(allowed).toMatch(/^default-src 'none'; /)
    for (const [tag, directive] of [
      ['style', 'style-src'],
      ['script', 'script-src'],
    ] as const) {
      const [only, ...others] = blocks(tag)
      expect(others).toEqual([])
      const hash = createHash('sha256').update(only!).digest('base64')
      expect(allowed).toContain(`${directive} 'sha256-${hash}';`)
    }
    expect(page).not.toMatch(/\b(src|srcset|action|style)=|\son[a-z]+=|@import|url\(|https?:/)
    expect([...page.matchAll(/href="([^#"][^"]*)"/g)].map(([, to]) => to)).toEqual(['data:,'])
  })

  test('has an element for each link and each rule, and no id twice', () => {
    const page = render()
    const ids = [...bodyOf(page).matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    const wanted = [
      ...[...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id!),
      ...[...page.matchAll(/aria-(?:labelledby|controls|describedby)="([^"]*)"/g)].map(
        ([, id]) => id!,
      ),
      ...[...page.matchAll(/^#(s\d+)\{/gm)].map(([, id]) => id!),
    ]
    expect([...new Set(wanted)].filter((id) => !ids.includes(id))).toEqual([])
  })
})

describe('licenses', () => {
  const source = {
    kind: 'file',
    name: 'app.tar.gz',
    sha256: digestOf('app'),
    from: ['https://example.org/app.tar.gz'],
    to: '.',
    license: 'MIT',
    licenseFiles: [
      { path: 'COPYING', sha256: digestOf('copying') },
      { path: 'README', sha256: digestOf('readme'), lines: { first: 3, last: 9 } },
    ],
  } as const

  test('of what is in the image come with those of the whole, and where their texts are', () => {
    const body = bodyOf(render(factsOf(pageMetadata({ sources: [source] }))))
    const words = [...body.matchAll(/<span class="word">([^<]*)<\/span>/g)].map(([, word]) => word)
    expect(words.join(' ')).toBe('GPL-2.0-only AND MIT')
    expect(body).toContain('2 packages installed, under 2 SPDX expressions')
    expect(body).toContain('the source of 1 package, too: it is not in the image')
    expect(body.match(/with source/g)).toHaveLength(1)
    expect(body).toContain('2 texts and their digests')
    expect(body).toContain('COPYING')
    expect(body).toContain('README, lines 3 to 9')
  })

  test('that only a linked library has count for the image as well', () => {
    const metadata = toyMetadata(
      using('host/cc', [], { license: 'GPL-3.0-or-later', linkedLicense: 'Zlib' }),
      using('base/app', ['host/cc'], { license: 'MIT' }),
      using('system/disk', ['host/cc'], {
        image: true,
        license: undefined,
        contents: ['base/app'] as RecipeId[],
      }),
    )
    const body = bodyOf(render(factsOf(metadata, recordOf(metadata))))
    expect(body).toContain('Linked into what is in the image')
    expect(body).toContain('<span class="word">Zlib</span>')
    expect(body).not.toContain('GPL-3.0-or-later')
    expect(body).not.toContain('with source')
  })

  test('that SPDX does not know are shown, and no expression of the whole is made up', () => {
    const body = bodyOf(render(factsOf(pageMetadata({ license: 'Beer' }))))
    expect(body).toContain('&quot;Beer&quot; of base&#x2F;app')
    expect(body).not.toContain('class="expression"')
  })
})

/** Names that end what they stand in, or start something else. */
const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '</style><style>*{display:none}</style>',
  '" onmouseover="alert(1)',
  "' autofocus onfocus='alert(1)",
  '<!--',
  '{{{style}}}{{> build}}',
  '&lt;b&gt;',
  '\u202eknil\u2066',
]

describe('names of anyone', () => {
  const hostileFacts = (name: string): Facts => {
    const metadata = pageMetadata({
      license: name,
      summary: name,
      version: name,
      sources: [
        { kind: 'file', name, sha256: digestOf(name), from: [name], to: undefined },
        { kind: 'tree', name: `${name} tree`, digest: digestOf('t'), files: [], to: undefined },
      ],
    })
    const record = recordOf(metadata)
    const [first] = record.recipes
    const odd = { ...first!, recipe: `${name}/${name}` as RecipeId, key: digestOf('odd') }
    const file = { ...receiptOf(name, { artifact: name }), recipe: name as RecipeId }
    const files = [{ path: `/x/${name}`, receipts: [file], names: name, refusal: undefined }]
    const confirmations = confirm(record, files)
    return factsOf(
      metadata,
      {
        ...record,
        recipes: [...record.recipes, odd],
        files: [{ path: name, sha256: digestOf('image') }],
        host: { system: name },
        seeds: [{ kind: name, why: name, sources: [{ source: name, files: 1, bytes: 1 }] }],
      },
      {
        listings: new Map([['base/app' as RecipeId, [fileEntry(`${name}/${name}`, 5)]]]),
        sourceSizes: new Map([[digestOf(name), 77]]),
        confirmations: {
          ...confirmations,
          files,
          faults: [new FixpointError('receipts-contradict', name)],
        },
      },
    )
  }

  /** Tags and attributes of a page, without their values, each once. */
  const shapeOf = (page: string): string[] => {
    const tags = [
      ...page.matchAll(/<(\/?[a-zA-Z!][^\s>/]*)((?:\s+[^\s=>"']+(?:="[^"]*")?)*)\s*\/?>/g),
    ]
    return [...new Set(tags.map(([, tag, rest]) => `${tag!} ${rest!.replace(/="[^"]*"/g, '')}`))]
  }

  test.each(HOSTILE)('%j stay names, wherever they stand', (name) => {
    const page = render(hostileFacts(name))
    const harmless = render(hostileFacts('harmless'))
    expect(shapeOf(page).sort()).toEqual(shapeOf(harmless).sort())
    expect(page.match(/<\/?(script|style)\b/g)).toHaveLength(6)
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    const data = /<script type="application\/json" id="data">([^<]*)<\/script>/.exec(page)![1]!
    const entries = JSON.parse(data) as { id: string }[]
    expect(entries.map(({ id }) => id)).toContain(visible(`${name}/${name}`))
  })
})

test.each([1, 86_400_000, 1e11, 3.1e11])('a build of %d ms has few ticks', (durationMs) => {
  const metadata = pageMetadata()
  const record = recordOf(metadata)
  const recipes = record.recipes.map((one) => ({ ...one, durationMs }))
  const page = render(factsOf(metadata, { ...record, recipes }))
  const ticks = page.match(/class="[^"]*\btick\b/g) ?? []
  const timelines = page.match(/Timeline on /g) ?? []
  expect(ticks.length).toBeGreaterThan(0)
  expect(ticks.length / timelines.length).toBeLessThanOrEqual(10)
})

describe('what is not known', () => {
  test('is said: other layers', () => {
    const body = bodyOf(render(factsOf(pageMetadata({ steps: [] }), recordOf(pageMetadata()))))
    expect(body).toContain('Changed since: base&#x2F;app.')
  })

  test('is said: no layers', () => {
    const record = { ...recordOf(pageMetadata()), recipe: 'system/gone' }
    const body = bodyOf(render(factsOf(pageMetadata(), record)))
    expect(body).toContain('have no recipe system&#x2F;gone')
    expect(body.match(/class="absent"/g)!.length).toBeGreaterThanOrEqual(6)
    expect(body).not.toMatch(/class="(treemap|plan|graph)/)
    // What the record says is there all the same.
    expect(body).toContain('All actions as a table')
  })

  test('is said: no times, sizes, seeds, files', () => {
    const record = recordOf(pageMetadata())
    const bare = {
      ...record,
      files: record.files.map(({ path, sha256 }) => ({ path, sha256 })),
      host: undefined,
      seeds: undefined,
      recipes: record.recipes.map(({ recipe, version, key, artifact }) => {
        return { recipe, version, key, artifact }
      }),
    }
    const body = bodyOf(render(factsOf(pageMetadata(), bare, { listings: new Map() })))
    expect(body).toContain('says nothing of times')
    expect(body).toContain('The store has none of the packages')
    expect(body).toContain('does not say what in its sources')
    expect(body).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('is said: a recipe without a measured time has its estimate', () => {
    const record = recordOf(pageMetadata())
    const recipes = record.recipes.map((one) =>
      one.recipe === 'base/zlib' ? { ...one, durationMs: undefined } : one,
    )
    const body = bodyOf(render(factsOf(pageMetadata(), { ...record, recipes })))
    expect(body).toContain('The time of 1 action is not known')
    expect(body).toContain('title="base&#x2F;zlib: 1.0 s, an estimate, from')
  })
})

test('receipts are counted by artifact', () => {
  const record = recordOf(pageMetadata())
  const confirmations = confirm(record, [])
  const [first, ...rest] = confirmations.artifacts
  const artifacts = [{ ...first!, builders: ['SHA256:a', 'SHA256:b'] }, ...rest]
  const files = [
    { path: '/home/someone/a.intoto.jsonl', receipts: [], refusal: 'unsigned' as const },
  ]
  const found = { ...confirmations, artifacts, files, faults: [] }
  const body = bodyOf(render(factsOf(pageMetadata(), record, { confirmations: found })))
  expect(body).toContain('1 of 3 artifacts were made by others')
  expect(body).toContain('2 builders: 1 artifact. 0 builders: 2 artifacts.')
  expect(body).toContain('not counted: unsigned')
  // A path says where somebody keeps files.
  expect(body).not.toContain('someone')
})
