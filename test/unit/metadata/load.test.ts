import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { digestOfValue } from '../../../src/base/canonical.ts'
import { FixpointErrors } from '../../../src/base/error.ts'
import { loadMetadata } from '../../../src/metadata/load.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import {
  APP,
  loadRecipe,
  loadTexts,
  patchText,
  recipe,
  SHA,
  VALID,
  writeTree,
} from '../../support/metadata.ts'

describe('a valid tree', () => {
  it('has its layers, machine and recipes in order', async () => {
    const metadata = await loadTexts()
    expect(metadata.layers).toEqual(['low', 'high'])
    expect(metadata.arch).toBe('x86_64')
    expect([...metadata.recipes.keys()]).toEqual(['low/tool', 'high/app'])
  })

  it('shows the host to host layers only', async () => {
    const { recipes } = await loadTexts()
    expect([...recipes.values()].map(({ host }) => host)).toEqual([true, false])
  })

  it('has defaults', async () => {
    expect(await loadRecipe('low/tool')).toMatchObject({
      memory: 512 * 1024 ** 2,
      cost: 10,
      timeout: 7200,
      image: false,
      sources: [],
      needs: [],
      contents: [],
    })
  })

  it('reads sizes and times', async () => {
    const found = await loadRecipe('low/tool', {
      'layers/low/tool/recipe.yaml': recipe(
        'tool',
        'style: plain\nmemory: 2G\ncost: 0.5\ntimeout: 60',
      ),
    })
    expect(found).toMatchObject({ memory: 2 * 1024 ** 3, cost: 0.5, timeout: 60 })
  })

  it('puts own steps and variables over those of the style, in the order of the style', async () => {
    const text = recipe(
      'app',
      `style: auto\nconfigure: ['--a=b c', "it's", --plain]\nmake: [all]\n` +
        `install: [install]\nenv: {CC: cc, MORE: '{{name}} {{make}}'}\n` +
        `steps: {prepare: 'echo {{version}} {{layer}}'}`,
    )
    const found = await loadRecipe('high/app', { 'layers/high/app/recipe.yaml': text })
    expect(found.steps).toEqual([
      { name: 'prepare', script: 'echo 1.0 high' },
      { name: 'build', script: `./configure '--a=b c' 'it'\\''s' --plain && make all` },
      { name: 'install', script: 'make install' },
    ])
    expect(found.env).toEqual({ CC: 'cc', MORE: 'app all' })
  })

  it('takes lists of the style for those that are empty', async () => {
    const style =
      `name: auto\nsummary: x\nextends: plain\ninstall: [install, 'V={{version}}']\nsteps:\n` +
      `  install: make {{install}}\n`
    const more = `name: more\nsummary: x\nextends: auto\nmake: [all]\n`
    for (const [fields, script] of [
      ['', 'make install V=1.0'],
      ['\ninstall: []', 'make install V=1.0'],
      ['\ninstall: [x]', 'make x'],
    ]) {
      for (const name of ['auto', 'more']) {
        const found = await loadRecipe('high/app', {
          'layers/styles/auto.yaml': style,
          'layers/styles/more.yaml': more,
          'layers/high/app/recipe.yaml': recipe('app', `style: ${name}${fields}`),
        })
        expect(found.steps.at(-1)).toEqual({ name: 'install', script })
        expect(found.steps[1]?.script).toBe(name === 'more' ? 'make all' : 'make ')
      }
    }
  })

  it('tells which file a list of the style is from', async () => {
    const style =
      'name: auto\nsummary: x\nextends: plain\ninstall: [install]\nsteps:\n' +
      '  install: make {{install}}\n'
    const { origins: origins } = await loadRecipe('high/app', { 'layers/styles/auto.yaml': style })
    expect(
      origins['install']?.map(({ file, line }) => `${file.split('/').at(-1) ?? ''}:${line ?? 0}`),
    ).toEqual(['auto.yaml:4'])
  })

  it('expands values of the machine', async () => {
    expect((await loadRecipe('low/tool')).env).toEqual({ CC: 'x86_64-toy-gcc' })
  })

  it('reads patches and files with digests, sorted, executable or not', async () => {
    const folder = await writeTree({
      ...VALID,
      'layers/low/tool/patches/b.patch': patchText('b'),
      'layers/low/tool/patches/B.patch': patchText('B'),
      'layers/low/tool/files/etc/conf': 'conf',
      'layers/low/tool/files/run': 'run',
    })
    chmodSync(join(folder, 'layers/low/tool/files/run'), 0o755)
    const found = (await loadMetadata(join(folder, 'layers/layers.yaml'))).recipes.get(
      'low/tool' as RecipeId,
    )
    expect(found?.patches.map(({ name, digest }) => [name, digest])).toEqual([
      ['B.patch', digestOf(patchText('B'))],
      ['b.patch', digestOf(patchText('b'))],
    ])
    expect(found?.files).toEqual([
      {
        name: 'etc/conf',
        path: join(folder, 'layers/low/tool/files/etc/conf'),
        digest: digestOf('conf'),
        executable: false,
      },
      {
        name: 'run',
        path: join(folder, 'layers/low/tool/files/run'),
        digest: digestOf('run'),
        executable: true,
      },
    ])
  })

  it('ignores folders without a file, which git does not keep', async () => {
    const folder = await writeTree(VALID)
    mkdirSync(join(folder, 'layers/low/later/patches'), { recursive: true })
    expect((await loadMetadata(join(folder, 'layers/layers.yaml'))).recipes.size).toBe(2)
  })

  it('makes images', async () => {
    const found = await loadRecipe('high/disk', {
      'layers/high/disk/recipe.yaml': recipe('disk', 'style: disk\ncontents: [high/app]'),
    })
    expect(found).toMatchObject({ image: true, contents: ['high/app'] })
  })
})

describe('sources', () => {
  const source = (text: string) => ({
    'layers/low/tool/recipe.yaml': recipe('tool', `sources:\n${text}\nstyle: plain`),
  })

  it('take their name from the first place', async () => {
    const places = [
      'debian:abc/abc_{{version}}.orig.tar.xz',
      'npm:acorn@8.14.0',
      'npm:@scope/name@1.2.3-rc.1',
      'https://example.org/a/b%20c.tar?x=1',
      'file:/abs/d.tar',
    ]
    const found = await loadRecipe(
      'low/tool',
      source(places.map((place) => `  - sha256: ${SHA}\n    from: ['${place}']`).join('\n')),
    )
    expect(found.sources.map(({ name }) => name)).toEqual([
      'abc_1.0.orig.tar.xz',
      'acorn-8.14.0.tgz',
      'name-1.2.3-rc.1.tgz',
      'b c.tar',
      'd.tar',
    ])
  })

  it('have a stated name, a folder, or stay packed', async () => {
    const found = await loadRecipe(
      'low/tool',
      source(
        `  - sha256: ${SHA}\n    from: []\n    name: a-{{version}}\n    to: x/{{name}}\n` +
          `  - sha256: ${SHA}\n    from: ['npm:a@1']\n    unpack: false`,
      ),
    )
    expect(found.sources).toEqual([
      { kind: 'file', name: 'a-1.0', sha256: SHA, from: [], to: 'x/tool', license: 'MIT' },
      {
        ...{ kind: 'file', name: 'a-1.tgz', sha256: SHA, from: ['npm:a@1'] },
        ...{ to: undefined, license: 'MIT' },
      },
    ])
  })

  it('find files relative to the folder of the recipe', async () => {
    const folder = await writeTree({
      ...VALID,
      ...source(`  - sha256: ${SHA}\n    from: ['file:../x/{{name}}.tar']`),
    })
    const { recipes } = await loadMetadata(join(folder, 'layers/layers.yaml'))
    expect(recipes.get('low/tool' as RecipeId)?.sources).toMatchObject([
      { name: 'tool.tar', from: [`file:${join(folder, 'layers/low/x/tool.tar')}`] },
    ])
  })

  it('may be files of the checkout', async () => {
    const found = await loadRecipe('low/tool', {
      ...source('  - tree: [src, package.json]\n    name: engine'),
      'src/b/c.ts': 'c',
      'src/a.ts': 'a',
      'src/.git/HEAD': 'ref: refs/heads/main',
      'src/b/.git': 'gitdir: ../../x',
      'package.json': '{}',
    })
    const files = [
      { name: 'package.json', digest: digestOf('{}'), executable: false },
      { name: 'src/a.ts', digest: digestOf('a'), executable: false },
      { name: 'src/b/c.ts', digest: digestOf('c'), executable: false },
    ]
    expect(found.sources).toMatchObject([
      { kind: 'tree', name: 'engine', digest: digestOfValue(files), files, to: '.' },
    ])
  })
})

describe('licenses', () => {
  const text = (path: string) => `{path: '${path}', sha256: ${SHA}}`
  const file = (path: string) => ({ path, sha256: SHA })

  it('of sources are their own, or that of the recipe', async () => {
    const found = await loadRecipe('low/tool', {
      'layers/low/tool/recipe.yaml': recipe(
        'tool',
        `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n    license: ISC\n` +
          `    license-files: [${text('a/LICENSE')}]\n  - sha256: ${SHA}\n    from: []\n` +
          `    name: b-{{version}}\nlicense-files:\n` +
          `  - {source: 'b-{{version}}', path: 'b-{{version}}/C', sha256: ${SHA}, lines: 2-9}\n` +
          `  - {source: a-1.tgz, path: NOTICE, sha256: ${SHA}}\nstyle: plain`,
        'license: MIT AND ISC\nlinked-license: ISC',
      ),
    })
    expect(found).toMatchObject({ license: 'MIT AND ISC', linkedLicense: 'ISC' })
    expect(found.sources.map(({ license, licenseFiles }) => ({ license, licenseFiles }))).toEqual([
      { license: 'ISC', licenseFiles: [file('a/LICENSE'), file('NOTICE')] },
      {
        license: 'MIT AND ISC',
        licenseFiles: [{ ...file('b-1.0/C'), lines: { first: 2, last: 9 } }],
      },
    ])
  })

  it('of a recipe that extends another are the same files in its own sources', async () => {
    const base = `sources: [{sha256: ${SHA}, from: ['debian:a/a_{{version}}.tar']}]\n`
    const found = await loadTexts({
      [APP]: recipe('app', `${base}license-files: [${text('COPYING')}]\nstyle: auto`),
      'layers/high/own/recipe.yaml':
        "name: own\nversion: '2'\nextends: high/app\n" + base.replace(SHA, 'cd'.repeat(32)),
    })
    expect(found.recipes.get('high/own' as RecipeId)?.sources).toMatchObject([
      { name: 'a_2.tar', license: 'MIT', licenseFiles: [file('COPYING')] },
    ])
  })

  it('are no business of an image', async () => {
    const found = await loadTexts({
      'layers/high/a/recipe.yaml': recipe('a', '', 'style: disk'),
      'layers/high/b/recipe.yaml': recipe('b', 'style: disk', 'license: MIT'),
    })
    for (const name of ['high/a', 'high/b'])
      expect(found.recipes.get(name as RecipeId)?.license).toBeUndefined()
  })
})

describe('a layer named by its path', () => {
  const beside = {
    'layers/layers.yaml': 'machine: toy\nhost-layers: [low]\nlayers: [../low, high, ../top]\n',
    'layers/low/tool/recipe.yaml': undefined,
    'low/tool/recipe.yaml': recipe('tool', 'style: plain'),
    'top/README.md': '# Top\n',
    'top/thing/recipe.yaml': recipe(
      'thing',
      "sources:\n  - tree: [top]\n    name: data\n  - sha256: '" +
        SHA +
        "'\n    from: ['file:x.tar']\ninputs: [high/app]\nstyle: auto",
    ),
  }

  it('has the name of its folder, its place in the order and the files of the checkout', async () => {
    const folder = await writeTree({ ...VALID, ...beside })
    const { layers, recipes } = await loadMetadata(join(folder, 'layers/layers.yaml'))
    expect(layers).toEqual(['low', 'high', 'top'])
    expect([...recipes.keys()]).toEqual(['low/tool', 'high/app', 'top/thing'])
    expect(recipes.get('low/tool' as RecipeId)?.host).toBe(true)
    expect(recipes.get('top/thing' as RecipeId)).toMatchObject({
      host: false,
      sources: [
        { files: [{ name: 'top/README.md' }, { name: 'top/thing/recipe.yaml' }] },
        { from: [`file:${join(folder, 'top/thing/x.tar')}`] },
      ],
    })
  })

  it('is found from a file that includes its own', async () => {
    const folder = await writeTree({
      ...VALID,
      ...beside,
      'product/layers/layers.yaml': 'include: ../../layers/layers.yaml\nlayers: [../own]\n',
      'product/own/x/recipe.yaml': recipe('x', 'inputs: [top/thing]\nstyle: auto'),
    })
    const { layers } = await loadMetadata(join(folder, 'product/layers/layers.yaml'))
    expect(layers).toEqual(['low', 'high', 'top', 'own'])
  })
})

describe('a tree that includes another', () => {
  const product = {
    'product/layers/layers.yaml': 'include: ../../layers/layers.yaml\nlayers: [own]\n',
    'product/layers/styles/mine.yaml': 'name: mine\nsummary: Mine\nextends: auto\n',
    'product/layers/own/thing/recipe.yaml': recipe(
      'thing',
      'sources:\n  - tree: [data]\n    name: data\ninputs: [high/app]\nstyle: mine',
    ),
    'product/data/x': 'x',
  }

  it('has the included layers first, styles of both, and files of its own checkout', async () => {
    const folder = await writeTree({ ...VALID, ...product })
    const metadata = await loadMetadata(join(folder, 'product/layers/layers.yaml'))
    expect(metadata.layers).toEqual(['low', 'high', 'own'])
    expect(metadata.recipes.get('own/thing' as RecipeId)?.sources).toMatchObject([
      { files: [{ name: 'data/x', path: join(folder, 'product/data/x') }] },
    ])
  })
})

describe('all faults', () => {
  it('are thrown at once, by file and line, each with kind, position, frame and hint', async () => {
    const folder = await writeTree({
      ...VALID,
      'layers/low/tool/recipe.yaml': recipe('tool', 'stile: plain'),
      'layers/high/app/recipe.yaml': recipe(
        'app',
        'inputs: [low/tol, low/tool, low/nothing-like-it]\nstyle: auto',
      ),
    })
    const error: unknown = await loadMetadata(join(folder, 'layers/layers.yaml')).catch(
      (reason: unknown) => reason,
    )
    if (!(error instanceof FixpointErrors)) throw new Error('expected FixpointErrors')
    expect(
      error.errors.map(({ code, position }) => [code, position?.line, position?.column]),
    ).toEqual([
      ['unknown-recipe', 5, 10],
      ['unknown-recipe', 5, 29],
      ['unknown-field', 5, 1],
    ])
    expect(error.kind).toBe('metadata')
    expect(error.errors[0]?.hint).toContain('"low/tool"')
    expect(error.errors[0]?.position?.frame).toBe(
      'inputs: [low/tol, low/tool, low/nothing-like-it]\n         ^^^^^^^',
    )
    expect(error.errors[1]?.hint).toBeUndefined()
    expect(error.errors[2]?.hint).toContain('"style"')
  })
})
