import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lint } from '../../../src/metadata/lint.ts'
import {
  APP,
  describeFault,
  patchText,
  recipe,
  SHA,
  VALID,
  writeTree,
  type Texts,
} from '../../support/metadata.ts'

/** The valid tree with a recipe that uses all styles. */
const DISK = 'layers/high/disk/recipe.yaml'
const CLEAN: Texts = { ...VALID, [DISK]: recipe('disk', '', 'style: disk') }

/** License files of a recipe with one source. */
const LICENSED = `license-files: [{path: COPYING, sha256: ${SHA}}]`

async function findings(texts: Texts): Promise<string[]> {
  const folder = await writeTree({ ...CLEAN, ...texts })
  return (await lint(join(folder, 'layers/layers.yaml'))).map((finding) =>
    describeFault(finding, folder),
  )
}

const sourceFrom = (place: string) => `sources:\n  - sha256: ${SHA}\n    from: ['${place}']`

const from = (place: string) => ({
  [APP]: recipe('app', `${sourceFrom(place)}\n${LICENSED}\nstyle: auto`),
})

describe('lint', () => {
  it('finds nothing in a clean tree', async () => {
    expect(await findings({})).toEqual([])
  })

  it.each<[string, Texts, string]>([
    [
      'no place',
      {
        [APP]: recipe(
          'app',
          `sources:\n  - sha256: ${SHA}\n    from: []\n    name: x\n${LICENSED}\nstyle: auto`,
        ),
      },
      `lint-no-place ${APP}:6:5`,
    ],
    [
      'no license expression',
      { [APP]: recipe('app', 'style: auto', 'license: GPL v3') },
      `lint-license ${APP}:4:10`,
    ],
    [
      'a license that SPDX does not list',
      { [APP]: recipe('app', 'style: auto', 'license: MIT AND (ISC OR ISCX) AND ISC') },
      `lint-license ${APP}:4:26`,
    ],
    [
      'a license that SPDX has replaced',
      { [APP]: recipe('app', 'style: auto', 'license: GPL-2.0-only AND GPL-2.0') },
      `lint-license ${APP}:4:27`,
    ],
    [
      'an exception that SPDX does not list',
      { [APP]: recipe('app', 'style: auto', 'license: GPL-2.0-only WITH GCC-exception') },
      `lint-license ${APP}:4:28`,
    ],
    [
      'no license expression of a source',
      {
        [APP]: recipe(
          'app',
          `${sourceFrom('debian:a/a.tar')}\n    license: MIT,ISC\n${LICENSED}\nstyle: auto`,
        ),
      },
      `lint-license ${APP}:8:14`,
    ],
    [
      'no license expression of linked files',
      { [APP]: recipe('app', 'style: auto', 'license: MIT\nlinked-license: mit') },
      `lint-license ${APP}:5:17`,
    ],
    [
      'a source without license files',
      { [APP]: recipe('app', `${sourceFrom('debian:a/a.tar')}\nstyle: auto`) },
      `lint-license-files ${APP}:6:5`,
    ],
    [
      'the license of a source that the recipe leaves out',
      {
        [APP]: recipe(
          'app',
          `${sourceFrom('debian:a/a.tar')}\n    license: ISC AND MIT\n${LICENSED}\nstyle: auto`,
        ),
      },
      `lint-license-part ${APP}:4:10`,
    ],
    [
      'the license of linked files that the recipe leaves out',
      { [APP]: recipe('app', 'style: auto', 'license: MIT\nlinked-license: ISC') },
      `lint-license-part ${APP}:4:10`,
    ],
    [
      'an image that states a license',
      { [DISK]: recipe('disk', 'style: disk') },
      `lint-image-license ${DISK}:4:1`,
    ],
    [
      'a summary with a full stop',
      { [APP]: 'name: app\nversion: 1.0.0\nsummary: An app.\nlicense: MIT\nstyle: auto\n' },
      `lint-summary ${APP}:3:1`,
    ],
    [
      'a long summary',
      {
        [APP]:
          `name: app\nversion: 1.0.0\n` +
          `summary: ${'x'.repeat(101)}\nlicense: MIT\nstyle: auto\n`,
      },
      `lint-summary ${APP}:3:1`,
    ],
    [
      'jobs in make',
      { [APP]: recipe('app', 'style: auto\nmake: [all, -j4]') },
      `lint-jobs ${APP}:6:13`,
    ],
    [
      'jobs in install',
      { [APP]: recipe('app', 'style: auto\ninstall: [--jobs=2]') },
      `lint-jobs ${APP}:6:11`,
    ],
    [
      'jobs in a script',
      { [APP]: recipe('app', 'style: auto\nsteps:\n  build: |\n    cd x\n    make CC=cc -j4 all') },
      `lint-jobs ${APP}:9:16`,
    ],
    [
      'code for this machine in a list',
      { [APP]: recipe('app', "style: auto\nmake: [all, 'CFLAGS=-O2 -march=native']") },
      `lint-native ${APP}:6:25`,
    ],
    [
      'code for this machine in a variable',
      { [APP]: recipe('app', "style: auto\nenv:\n  X: '-mtune=native'") },
      `lint-native ${APP}:7:7`,
    ],
    [
      'code for this machine in a script',
      {
        [APP]: recipe('app', 'style: auto\nsteps:\n  build: |\n    cd x\n    gcc -mcpu=native x.c'),
      },
      `lint-native ${APP}:9:9`,
    ],
    [
      'code for this machine in a style',
      {
        'layers/styles/disk.yaml':
          'name: disk\nsummary: x\nimage: true\nsteps: {a: cc -march=native}\n',
      },
      'lint-native layers/styles/disk.yaml:4:15',
    ],
    [
      'code for this machine in a machine',
      { 'layers/machines/toy.yaml': 'arch: x86_64\ntriple: -march=native\n' },
      'lint-native layers/machines/toy.yaml:2:9',
    ],
    [
      'words to install without a target',
      {
        [APP]: recipe('app', 'style: auto\ninstall: [-C, src, A=b]'),
        'layers/styles/auto.yaml': String(VALID['layers/styles/auto.yaml']).replace(
          'steps:',
          'install: [install]\nsteps:',
        ),
      },
      `lint-no-target ${APP}:6:1`,
    ],
    [
      'a registry',
      from('https://registry.example.org/acorn/-/acorn-8.14.0.tgz'),
      `lint-registry-address ${APP}:7:12`,
    ],
    [
      'a mirror',
      from('https://example.org/debian/pool/main/m/make/make_1.orig.tar.xz'),
      `lint-registry-address ${APP}:7:12`,
    ],
    ['credentials', from('http://me:secret@example.org/x.tar'), `lint-credentials ${APP}:7:12`],
    ['http', from('http://example.org/x.tar'), `lint-insecure-place ${APP}:7:12`],
    ['a path of one machine', from('file:/tmp/x.tar'), `lint-machine-path ${APP}:7:12`],
    [
      'a variable of the sandbox',
      { [APP]: recipe('app', 'style: auto\nenv:\n  OUT: /x') },
      `lint-constant-variable ${APP}:7:3`,
    ],
    [
      'a patch without a word',
      { 'layers/high/app/patches/x.patch': patchText().split('\n').slice(2).join('\n') },
      'lint-patch-comment layers/high/app/patches/x.patch:1:undefined',
    ],
    [
      'a folder that is no layer',
      { 'layers/old/x/recipe.yaml': '' },
      'lint-unlisted-folder layers/old',
    ],
    [
      'a folder that has the name of a layer elsewhere',
      {
        'layers/layers.yaml': 'machine: toy\nhost-layers: [low]\nlayers: [low, high, ../top]\n',
        'top/x/recipe.yaml': recipe('x', 'style: auto'),
        'layers/top/x/recipe.yaml': '',
      },
      'lint-unlisted-folder layers/top',
    ],
    [
      'a style that nothing uses',
      { 'layers/styles/idle.yaml': 'name: idle\nsummary: x\nsteps: {a: b}\n' },
      'lint-unused-style layers/styles/idle.yaml',
    ],
    [
      "a machine's value that nothing uses",
      { 'layers/machines/toy.yaml': 'arch: x86_64\ntriple: x\nidle: x\n' },
      'lint-unused-value layers/layers.yaml:1:10',
    ],
    [
      'jobs that are set',
      { 'layers/high/own/recipe.yaml': 'name: own\nextends: high/app\nset: {make: [-j]}\n' },
      'lint-jobs layers/high/own/recipe.yaml:3:14',
    ],
  ])('finds %s', async (_, texts, finding) => {
    expect(await findings(texts)).toEqual([finding])
  })

  it('shows no password', async () => {
    const folder = await writeTree({ ...CLEAN, ...from('https://me:secret@example.org/x.tar') })
    const [finding] = await lint(join(folder, 'layers/layers.yaml'))
    expect(JSON.stringify([finding?.message, finding?.hint, finding?.position])).not.toMatch(
      /secret/,
    )
  })

  it('finds patches without an order', async () => {
    const patches = {
      'layers/high/app/patches/b.patch': patchText(),
      'layers/high/app/patches/01-a.patch': patchText(),
    }
    expect(await findings(patches)).toEqual(['lint-patch-order layers/high/app/patches/b.patch'])
  })

  it('does not take other flags for jobs', async () => {
    expect(
      await findings({
        [APP]: recipe(
          'app',
          'style: auto\nmake: [-k, JOBS=-jitter]\n' +
            'steps: {build: "make -f x; tar -j x {{make}} {{configure}}"}',
        ),
      }),
    ).toEqual([])
  })

  it('lets a style be idle whose program is a recipe', async () => {
    const style = 'name: app\nsummary: x\nsteps: {a: b}\n'
    expect(await findings({ 'layers/styles/app.yaml': style })).toEqual([])
  })

  it('finds what a compiler made among the files of the checkout', async () => {
    const app = { [APP]: recipe('app', 'sources: [{tree: [own], name: own}]\nstyle: auto') }
    const files = {
      'own/main.c': 'ELF',
      'own/main': '\x7fELF\x02',
      'own/lib.a': '!<arch>\n',
      'own/x': '',
    }
    expect(await findings({ ...app, ...files })).toEqual([
      'lint-compiled own/lib.a',
      'lint-compiled own/main',
    ])
  })

  it('throws when the tree is not valid', async () => {
    await expect(findings({ [APP]: '' })).rejects.toMatchObject({ code: 'missing-field' })
  })

  it('takes the license files of sources, of one source for all recipes that extend', async () => {
    const files = `    license-files: [{path: COPYING, sha256: ${SHA}}]`
    const app = recipe('app', `${sourceFrom('debian:a/a.tar')}\n${files}\nstyle: auto`)
    const own = 'name: own\nextends: high/app\n'
    expect(await findings({ [APP]: app, 'layers/high/own/recipe.yaml': own })).toEqual([])
  })

  it('finds no license missing that a choice between licenses gives', async () => {
    const choice = 'license: MIT AND (ISC OR 0BSD)\nlinked-license: 0BSD OR ISC'
    expect(await findings({ [APP]: recipe('app', 'style: auto', choice) })).toEqual([])
  })

  const source = (place: string) => `${sourceFrom(place)}\n${LICENSED}`
  const OTHER = 'layers/high/other/recipe.yaml'

  it('finds two recipes that state one source with two versions', async () => {
    const place = 'debian:a/a_{{version}}.tar'
    const app = recipe('app', `${source(place)}\nstyle: auto`)
    const other = recipe('other', `${source(place)}\nstyle: auto`)
    expect(await findings({ [APP]: app, [OTHER]: other })).toEqual([])
    const newer = other.replace(/^version: .*/m, "version: '9'").replace(SHA, 'f'.repeat(64))
    expect(await findings({ [APP]: app, [OTHER]: newer })).toEqual([
      `lint-two-versions ${OTHER}:2:1`,
    ])
  })

  it('lets a recipe that extends another have its own version', async () => {
    const app = recipe('app', `${source('debian:a/a_{{version}}.tar')}\nstyle: auto`)
    const sources = sourceFrom('debian:a/a_{{version}}.tar')
    const other = `name: other\nversion: '9'\nextends: high/app\n${sources}\n`
    expect(await findings({ [APP]: app, [OTHER]: other })).toEqual([])
  })
})
