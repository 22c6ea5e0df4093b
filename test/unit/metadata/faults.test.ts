import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  APP,
  describeFault,
  faultsIn,
  faultsOf,
  patchText,
  recipe,
  VALID,
  writeTree,
  type Texts,
} from '../../support/metadata.ts'
import { RECIPES } from './corpus/recipes.ts'
import { TREES } from './corpus/trees.ts'

describe('a recipe with', () => {
  it.each(Object.entries(RECIPES))('%s', async (_, [text, ...faults]) => {
    const found = await faultsOf({ [APP]: text })
    expect(found).toEqual(
      faults.map((fault) => fault.replace(/^[a-z0-9-]+/, (code) => `${code} ${APP}`)),
    )
    expect(faults.length).toBeGreaterThan(0)
  })

  it.each([
    ['brackets', '[\n'.repeat(20_000)],
    ['maps', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['dashes', `${'- '.repeat(2000)}\n`],
    [
      'a map of 10,000 keys',
      Array.from({ length: 10_000 }, (_, index) => `k${String(index)}: x`).join('\n'),
    ],
  ])('hostile depth or width: %s', async (_, text) => {
    expect(await faultsOf({ [APP]: text })).not.toEqual([])
  })
})

describe('words of our own, not the parser’s:', () => {
  it.each([
    [
      'a second document',
      'name: app\n---\nname: app\n',
      'it holds a second document; a file has one',
    ],
    [
      'no number',
      recipe('app', 'style: auto\ncost: .nan'),
      '"cost" must be a number, but is the number NaN',
    ],
  ])('%s', async (_, text, words) => {
    const [fault] = await faultsIn(await writeTree({ ...VALID, [APP]: text }))
    expect(fault?.message).toContain(words)
  })
})

describe('hints', () => {
  it.each([
    ['the name that was meant', recipe('app', 'stile: auto'), '"style"'],
    ['quotes', 'name: app\nversion: 1.10\n', "'1.10'"],
    ['where a field belongs', recipe('app', 'style: auto\ninputs: []'), '"style"'],
    ['the step that was meant', recipe('app', 'style: auto\nsteps:\n  instal: x'), '"install"'],
    [
      'the value that was meant',
      recipe('app', 'style: auto\nconfigure: ["{{machine.tripel}}"]'),
      '"machine.triple"',
    ],
    ['the recipe that was meant', recipe('app', 'inputs: [low/tolo]\nstyle: auto'), '"low/tool"'],
  ])('name %s', async (_, text, hint) => {
    const faults = await faultsIn(await writeTree({ ...VALID, [APP]: text }))
    expect(faults.some((fault) => fault.hint?.includes(hint))).toBe(true)
  })
})

describe('a tree with', () => {
  it.each(Object.entries(TREES))('%s', async (_, [texts, ...faults]) => {
    expect(await faultsOf(texts)).toEqual(faults)
  })

  it('a fault of a style that many recipes use says so once', async () => {
    const style = 'name: plain\nsummary: x\nsteps:\n  prepare: "{{oops}}"\n  build: "{{make}}"\n'
    expect(await faultsOf({ 'layers/styles/plain.yaml': style })).toEqual([
      'unknown-name layers/styles/plain.yaml:4:13',
    ])
  })

  it.each(['/top', '../../top', 'low/../../top', '../top/..', '..', './top', '../high/app'])(
    'a layer at "%s"',
    async (path) => {
      const folder = await writeTree({
        ...VALID,
        'layers/layers.yaml': `machine: toy\nlayers: [low, high, ${path}]\n`,
        'top/x/recipe.yaml': recipe('x', 'style: plain'),
      })
      expect((await faultsIn(folder)).map((fault) => describeFault(fault, folder))).toEqual([
        'bad-value layers/layers.yaml:2:21',
      ])
    },
  )

  it('a layer by a path that is a link', async () => {
    const texts = { ...VALID, 'layers/layers.yaml': 'machine: toy\nlayers: [low, ../high]\n' }
    const folder = await writeTree(texts)
    symlinkSync('layers/high', join(folder, 'high'))
    expect((await faultsIn(folder)).map((fault) => describeFault(fault, folder))).toEqual([
      'symlink layers/layers.yaml:2:15',
    ])
  })

  it('none where the folder of layers.yaml is reached by a link', async () => {
    const folder = await writeTree({
      ...VALID,
      'deep/mine/layers.yaml': 'include: ../../layers/layers.yaml\nlayers: [own, ../beside]\n',
      'deep/mine/own/x/recipe.yaml': recipe('x', 'style: plain'),
      'deep/beside/y/recipe.yaml': recipe('y', 'style: plain'),
    })
    symlinkSync('deep/mine', join(folder, 'link'))
    expect(await faultsIn(folder, 'link/layers.yaml')).toEqual([])
  })

  it.each([
    'layers/high/README.md',
    'layers/high/app/files/link',
    'layers/high/app/patches/link.patch',
    'layers/high/app/link',
    'layers/high/link',
    'layers/styles/link.yaml',
  ])('a symbolic link %s', async (link) => {
    const folder = await writeTree({
      ...VALID,
      'layers/high/app/files/x': '',
      'layers/high/app/patches/x.patch': patchText(),
    })
    symlinkSync('/etc/passwd', join(folder, link))
    expect((await faultsIn(folder)).map((fault) => describeFault(fault, folder))).toEqual([
      `symlink ${link}`,
    ])
  })

  it('a link to a folder as files/', async () => {
    const folder = await writeTree(VALID)
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'layers/high/app/files'))
    expect((await faultsIn(folder)).map(({ code }) => code)).toEqual(['symlink'])
  })

  it('a fifo in files/ is not waited for', async () => {
    const folder = await writeTree({ ...VALID, 'layers/high/app/files/x': '' })
    execFileSync('mkfifo', [join(folder, 'layers/high/app/files/pipe')])
    expect((await faultsIn(folder)).map(({ code }) => code)).toEqual(['special-file'])
  })

  it('a link in files of the checkout', async () => {
    const folder = await writeTree({
      ...VALID,
      [APP]: recipe('app', 'sources:\n  - tree: [src]\n    name: x\nstyle: auto'),
      'src/a': 'a',
    })
    symlinkSync('a', join(folder, 'src/b'))
    expect((await faultsIn(folder)).map((fault) => describeFault(fault, folder))).toEqual([
      'symlink src/b',
    ])
  })
})

describe('a tree that includes another', () => {
  const PRODUCT = {
    'product/layers/layers.yaml': 'include: ../../layers/layers.yaml\nlayers: [own]\n',
    'product/layers/own/x/recipe.yaml': recipe('x', 'style: auto'),
  }

  it.each<[string, Texts, string]>([
    [
      'a style of the same name',
      { 'product/layers/styles/auto.yaml': 'name: auto\nsummary: x\nsteps: {a: b}\n' },
      'duplicate-style product/layers/styles/auto.yaml',
    ],
    [
      'a machine of the same name',
      { 'product/layers/machines/toy.yaml': 'arch: x\n' },
      'duplicate-machine product/layers/machines/toy.yaml',
    ],
    [
      'a layer of the same name',
      {
        'product/layers/layers.yaml': 'include: ../../layers/layers.yaml\nlayers: [own, low]\n',
        'product/layers/low/x/recipe.yaml': '',
      },
      'duplicate-layer product/layers/layers.yaml:2:15',
    ],
    [
      'a layer that sees the host',
      {
        'product/layers/layers.yaml':
          'include: ../../layers/layers.yaml\nhost-layers: [own]\nlayers: [own]\n',
      },
      'host-layer product/layers/layers.yaml:2:1',
    ],
    [
      'nothing to include',
      { 'product/layers/layers.yaml': 'include: ../none.yaml\nmachine: toy\nlayers: [own]\n' },
      'missing-file product/layers/layers.yaml:1:10',
    ],
  ])('refuses %s', async (_, texts, fault) => {
    const folder = await writeTree({ ...VALID, ...PRODUCT, ...texts })
    expect(
      (await faultsIn(folder, 'product/layers/layers.yaml')).map((found) =>
        describeFault(found, folder),
      ),
    ).toContain(fault)
  })

  it('whose file is missing has that fault alone', async () => {
    const texts = { 'product/layers/layers.yaml': 'include: ../none.yaml\nlayers: [none]\n' }
    const folder = await writeTree({ ...VALID, ...PRODUCT, ...texts })
    const faults = await faultsIn(folder, 'product/layers/layers.yaml')
    expect(faults.map(({ code }) => code)).toEqual(['missing-file'])
  })
})
