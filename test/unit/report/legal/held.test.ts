import { describe, expect, it } from 'vitest'
import type { Recipe } from '../../../../src/metadata/model.ts'
import { graphOf, type Graph } from '../../../../src/plan/graph.ts'
import { wantsRelinking, wantsSource } from '../../../../src/report/legal/copyleft.ts'
import { heldBy, imageLicense } from '../../../../src/report/legal/held.ts'
import { manifest, relinkingList } from '../../../../src/report/legal/manifest.ts'
import { travelNote } from '../../../../src/report/legal/readme.ts'
import { digestOf } from '../../../../src/base/digest.ts'
import { id } from '../../../support/rig.ts'
import { toyMetadata, toyRecipe } from '../../../support/toy.ts'

const IMAGE = id('top/image')

/** program and shell in an image; the program is built with a library and a compiler. */
function graph(changes: Readonly<Record<string, Partial<Recipe>>> = {}): Graph {
  const recipe = (name: string, more: Partial<Recipe>) =>
    toyRecipe(name, ':', { ...more, ...changes[name] })
  const metadata = toyMetadata(
    recipe('base/libc', { license: 'MIT AND ISC', linkedLicense: 'MIT' }),
    recipe('base/compiler', {
      license: 'GPL-3.0-or-later',
      linkedLicense: 'GPL-3.0-or-later WITH GCC-exception-3.1',
      needs: [id('base/libc')],
    }),
    recipe('base/library', { license: 'Zlib', linkedLicense: 'Zlib' }),
    recipe('base/loader', { license: 'GPL-3.0-or-later', linkedLicense: 'GPL-3.0-or-later' }),
    recipe('base/make', { license: 'AGPL-3.0-only' }),
    recipe('base/program', {
      license: 'Apache-2.0 OR 0BSD',
      inputs: [id('base/compiler'), id('base/library'), id('base/make')],
    }),
    recipe('base/shell', { license: 'GPL-2.0-only', inputs: [id('base/compiler')] }),
    recipe('top/image', {
      license: undefined,
      image: true,
      inputs: [id('base/loader'), id('base/make')],
      contents: [id('base/program'), id('base/shell')],
    }),
  )
  return graphOf(metadata, [IMAGE])
}

describe('an image holds', () => {
  it('its contents, and the linked files of what they and itself were built with', () => {
    expect(
      heldBy(graph(), IMAGE).map(({ recipe, isWhole, license, linkedInto }) => ({
        recipe: recipe.id,
        isWhole,
        license,
        linkedInto,
      })),
    ).toEqual([
      {
        recipe: 'base/compiler',
        isWhole: false,
        license: 'GPL-3.0-or-later WITH GCC-exception-3.1',
        linkedInto: ['base/program', 'base/shell'],
      },
      {
        recipe: 'base/libc',
        isWhole: false,
        license: 'MIT',
        linkedInto: ['base/program', 'base/shell'],
      },
      {
        recipe: 'base/library',
        isWhole: false,
        license: 'Zlib',
        linkedInto: ['base/program'],
      },
      {
        recipe: 'base/loader',
        isWhole: false,
        license: 'GPL-3.0-or-later',
        linkedInto: ['top/image'],
      },
      { recipe: 'base/program', isWhole: true, license: 'Apache-2.0 OR 0BSD', linkedInto: [] },
      { recipe: 'base/shell', isWhole: true, license: 'GPL-2.0-only', linkedInto: [] },
    ])
  })

  it('all of a library that is among its contents', () => {
    const contents = [id('base/libc'), id('base/program')]
    const held = heldBy(graph({ 'top/image': { contents } }), IMAGE)
    expect(held.find(({ recipe }) => recipe.id === 'base/libc')).toMatchObject({
      isWhole: true,
      license: 'MIT AND ISC',
      linkedInto: ['base/program'],
    })
  })
})

describe('the license of an image', () => {
  it('joins those of all that it holds', () => {
    expect(imageLicense(graph(), IMAGE)).toBe(
      '(0BSD OR Apache-2.0) AND GPL-2.0-only AND GPL-3.0-or-later AND ' +
        'GPL-3.0-or-later WITH GCC-exception-3.1 AND MIT AND Zlib',
    )
  })

  it('is none when something has a license that is none', () => {
    const origins = { license: [{ file: 'recipe.yaml', line: 4 }] }
    const faulty = graph({ 'base/shell': { license: 'GPL v2', origins } })
    expect(() => imageLicense(faulty, IMAGE)).toThrow(
      expect.objectContaining({ code: 'lint-license', position: origins.license[0] }),
    )
  })
})

describe('source code goes with', () => {
  it.each([
    ['GPL-2.0-only', true, true],
    ['GPL-2.0-only', false, true],
    ['GPL-3.0-or-later WITH GCC-exception-3.1', true, true],
    ['GPL-3.0-or-later WITH GCC-exception-3.1', false, false],
    ['LGPL-2.1-or-later', false, true],
    ['AGPL-3.0-only', true, true],
    ['MPL-2.0', true, true],
    ['EUPL-1.2', true, true],
    ['Artistic-1.0-Perl OR GPL-1.0-or-later', true, true],
    ['MIT AND (Zlib OR MPL-1.1)', true, true],
    ['MIT AND BSD-3-Clause AND Apache-2.0', true, false],
    ['CECILL-B', true, false],
    ['EPICS', true, false],
    ['LicenseRef-GPL', true, false],
  ])('%s (whole: %s): %s', (license, isWhole, wanted) => {
    expect(wantsSource({ license, isWhole })).toBe(wanted)
  })

  it('nothing but LGPL without exception asks for linking again', () => {
    expect(wantsRelinking('MIT AND LGPL-3.0-only')).toBe(true)
    expect(wantsRelinking('LGPL-3.0-only WITH LGPL-3.0-linking-exception')).toBe(false)
    expect(wantsRelinking('GPL-3.0-only')).toBe(false)
  })
})

describe('papers', () => {
  const source = (name: string, license?: string) => ({
    ...{ kind: 'file' as const, name, sha256: digestOf(name), from: [], to: '.' },
    license,
  })

  it('list each source in a row', () => {
    const origins = {
      name: [{ file: '/x/layers/base/shell/recipe.yaml' }],
      steps: [{ file: '/x/layers/styles/plain.yaml' }],
      patches: [{ file: '/x/layers/base/shell/patches' }],
    }
    const patch = { name: '1.patch', path: '/x', digest: digestOf('patch'), executable: false }
    const sources = [source('a, "b".tar', 'MIT'), source('c.tar')]
    const changed = graph({ 'base/shell': { sources, patches: [patch], origins } })
    const lines = manifest(heldBy(changed, IMAGE)).split('\n')
    const files = 'base/shell/recipe.yaml; styles/plain.yaml'
    expect(lines[0]).toBe(
      'recipe,version,held,license,source,sha256,source license,patches,recipe files',
    )
    expect(lines).toContain('base/library,1,linked files,Zlib,,,,,')
    expect(lines.slice(-3)).toEqual([
      `base/shell,1,whole,GPL-2.0-only,"a, ""b"".tar",${digestOf('a, "b".tar')},MIT,` +
        `1.patch ${digestOf('patch')},${files}`,
      `base/shell,1,whole,GPL-2.0-only,c.tar,${digestOf('c.tar')},,` +
        `1.patch ${digestOf('patch')},${files}`,
      '',
    ])
  })

  it('list LGPL code that is linked statically, where there is any', () => {
    expect(relinkingList(heldBy(graph(), IMAGE))).toEqual([])
    const sources = [source('own.tar', 'GPL-2.0-only'), source('part.tar', 'LGPL-3.0-or-later')]
    const held = heldBy(
      graph({
        'base/library': { linkedLicense: 'LGPL-2.1-only' },
        'base/shell': { license: 'GPL-2.0-only AND LGPL-3.0-or-later', sources },
      }),
      IMAGE,
    )
    expect(relinkingList(held)[0]?.bytes).toBe(
      'program,library,license\n' +
        'base/program,base/library,LGPL-2.1-only\n' +
        'base/shell,part.tar,LGPL-3.0-or-later\n',
    )
  })

  it('say where the source code of copyleft parts is', () => {
    const copyleft = heldBy(graph(), IMAGE).filter(wantsSource)
    expect(travelNote({ copyleft: [], hasMirror: false, hasFiles: false })).toMatch(/^No part/)
    expect(travelNote({ copyleft, hasMirror: true, hasFiles: false })).toContain('"mirror"')
    const [without, with_] = [false, true].map((hasFiles) =>
      travelNote({ copyleft, hasMirror: false, hasFiles }),
    )
    expect(without).toMatch(/must go with it[^]*not among/)
    expect(with_).toMatch(/must go with it[^]*in source\/files/)
  })
})
