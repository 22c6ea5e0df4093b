import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  describeFault,
  faultsIn,
  faultsOf,
  patchText,
  recipe,
  SHA,
  VALID,
  writeTree,
  type Texts,
} from '../../support/metadata.ts'

const APP = 'layers/high/app/recipe.yaml'

/** Texts of the recipe, and the faults that they have, without the file's name. */
const RECIPES: Readonly<Record<string, [text: string | Uint8Array, ...faults: string[]]>> = {
  // Files that are no YAML, or more of it than the format allows.
  'an empty file': ['', 'missing-field:1:1'],
  'only a comment': ['# nothing\n', 'missing-field:1:1'],
  'a list': ['- name: app\n', 'wrong-type:1:1'],
  'a text': ['name\n', 'wrong-type:1:1'],
  'a tab as indentation': ['name: app\nenv:\n\tA: b\n', 'yaml-tab:3:1'],
  'no UTF-8': [Buffer.from('name: app\nsummary: \xe4\n', 'latin1'), 'not-utf8:2:10'],
  'a repeated key': ['name: app\nversion: 1.0.0\nname: app\n', 'duplicate-key:3:1'],
  'a repeated key deep inside': [recipe('app', 'style: auto\nenv:\n  A: x\n  A: y'), 'duplicate-key:8:3'],
  'a billion laughs': [
    `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`,
    'yaml-anchor:1:7',
    'yaml-anchor:2:7',
    'yaml-alias:3:5',
    'yaml-alias:3:9',
  ],
  'a tag': ['name: !!str app\n', 'yaml-tag:1:13'],
  'an unknown tag': ['name: !!js/function app\n', 'yaml-tag:1:21'],
  'two documents': ['name: app\n---\nname: app\n', 'yaml-documents:2:1'],
  'a key that is no text': ['1: x\n', 'yaml-key:1:1'],
  'a list as a key': ['? [a]\n: x\n', 'yaml-key:1:1'],
  'a key that objects have of themselves': ['__proto__: {name: app}\n', 'yaml-key:1:1'],
  'a NUL character': [`summary: "a\\0b"\n`, 'nul-character:1:10'],
  'an open bracket': ['inputs: [a\n', 'yaml-syntax:2:1'],
  'a line without end': [`summary: ${'x'.repeat(5000)}\n`, 'line-too-long:1:1'],
  'a file without end': ['# x\n'.repeat(100_000), 'file-too-large'],
  // Fields.
  'a missing field': ['name: app\nversion: 1.0.0\nsummary: x\nstyle: auto\n', 'missing-field:1:1'],
  'a misspelt field': [recipe('app', 'style: auto\nconfigre: [--x]'), 'unknown-field:6:1'],
  'a misspelt field of a source': [
    recipe('app', `sources:\n  - sha265: ${SHA}\n    from: []\nstyle: auto`),
    'missing-field:6:5',
    'unknown-field:6:5',
  ],
  'a misspelt field of set': ['name: app\nextends: low/tool\nset: {sumary: x}\n', 'unknown-field:3:7'],
  'a number as version': ['name: app\nversion: 1.10\nsummary: x\nlicense: MIT\nstyle: auto\n', 'wrong-type:2:10'],
  'a number as value of a variable': [recipe('app', 'style: auto\nenv:\n  A: 1'), 'wrong-type:7:6'],
  'an empty list': [recipe('app', 'inputs:\nstyle: auto'), 'wrong-type:5:1'],
  'a text for a list': [recipe('app', 'style: auto\nconfigure: --x'), 'wrong-type:6:12'],
  'a map in a list of texts': [recipe('app', 'style: auto\nconfigure: [a: b]'), 'wrong-type:6:13'],
  'a bad digest': [recipe('app', `sources:\n  - sha256: ABC\n    from: ['npm:a@1']\nstyle: auto`), 'bad-value:6:13'],
  'a bad size': [recipe('app', 'style: auto\nmemory: 800 MB'), 'bad-value:6:9'],
  'a negative cost': [recipe('app', 'style: auto\ncost: -1'), 'bad-value:6:7'],
  'a fraction of a second': [recipe('app', 'style: auto\ntimeout: 1.5'), 'bad-value:6:10'],
  'no number': [recipe('app', 'style: auto\ncost: .inf'), 'wrong-type:6:7'],
  'a bad name of a variable': [recipe('app', 'style: auto\nenv: {A-B: x}'), 'bad-value:6:7'],
  'a bad name of a recipe': [recipe('app', 'inputs: [tool]\nstyle: auto'), 'bad-value:5:10'],
  'the name of another folder': [recipe('apq', 'style: auto'), 'name-mismatch:1:7'],
  'fields out of order': [recipe('app', 'style: auto\ninputs: [low/tool]'), 'field-order:6:1'],
  'fields of a source out of order': [
    recipe('app', `sources:\n  - from: ['npm:a@1']\n    sha256: ${SHA}\nstyle: auto`),
    'field-order:7:5',
  ],
  // Names of other things.
  'an unknown style': [recipe('app', 'style: atuo'), 'unknown-style:5:8'],
  'no style': [recipe('app', 'inputs: []'), 'missing-field:1:1'],
  'a step that the style lacks': [recipe('app', 'style: auto\nsteps:\n  instal: x'), 'unknown-step:7:3'],
  'an unknown recipe': [recipe('app', 'inputs: [low/tolo]\nstyle: auto'), 'unknown-recipe:5:10'],
  itself: [recipe('app', 'inputs: [high/app]\nstyle: auto'), 'self-reference:5:10'],
  'a recipe twice': [recipe('app', 'inputs: [low/tool, low/tool]\nstyle: auto'), 'duplicate-element:5:20'],
  'contents without an image': [recipe('app', 'style: auto\ncontents: [low/tool]'), 'contents-without-image:6:1'],
  'a list that nothing uses': [recipe('app', 'style: plain\nconfigure: [--x]'), 'unused-list:6:1'],
  // Templates.
  'an unknown name': [recipe('app', 'style: auto\nconfigure: [a, "--with={{machine.tripel}}"]'), 'unknown-name:6:24'],
  'an unknown name in a script': [
    recipe('app', 'style: auto\nsteps:\n  build: |\n    echo {{name}}\n    echo {{nmae}}\n'),
    'unknown-name:9:10',
  ],
  'a name twice, wrong both times': [
    recipe('app', 'style: auto\nsteps:\n  build: "{{x}} {{x}}"\n'),
    'unknown-name:7:11',
    'unknown-name:7:17',
  ],
  'a list where only scripts know it': [recipe('app', 'style: auto\nconfigure: ["{{make}}"]'), 'unknown-name:6:14'],
  'a section': [recipe('app', 'style: auto\nconfigure: ["{{#name}}x{{/name}}"]'), 'template-section:6:14'],
  'a partial': [recipe('app', 'style: auto\nconfigure: ["{{> name}}"]'), 'template-section:6:14'],
  'an unescaped form': [recipe('app', 'style: auto\nconfigure: ["{{{name}}}"]'), 'template-section:6:14'],
  'other braces': [recipe('app', 'style: auto\nconfigure: ["{{=<% %>=}}"]'), 'template-section:6:14'],
  'an open template': [recipe('app', 'style: auto\nconfigure: ["{{name}} {{name"]'), 'template-syntax:6:23'],
  // Sources.
  'an unknown form of place': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1', 'ftp://x/y', 'debian:abc']\nstyle: auto`),
    'bad-place:7:23',
    'bad-place:7:36',
  ],
  'a place without a file': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['https://example.org/']\nstyle: auto`),
    'bad-place:7:12',
  ],
  'neither place nor name': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: []\nstyle: auto`),
    'missing-field:6:5',
  ],
  'two sources of a name': [
    recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n  - sha256: ${SHA}\n    from: ['npm:a@1']\nstyle: auto`,
    ),
    'duplicate-source:8:5',
  ],
  'a name with a slash': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: []\n    name: a/b\nstyle: auto`),
    'bad-value:8:11',
  ],
  'a folder outside': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n    to: ../x\nstyle: auto`),
    'bad-value:8:9',
  ],
  'a folder for what stays packed': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n    to: x\n    unpack: false\nstyle: auto`),
    'bad-value:8:5',
  ],
  'a file of the checkout that is not there': [
    recipe('app', 'sources:\n  - tree: [layers, srk]\n    name: x\nstyle: auto'),
    'missing-file:6:20',
  ],
  'a file outside of the checkout': [
    recipe('app', 'sources:\n  - tree: [../x, a/../../b, /etc, a/]\n    name: x\nstyle: auto'),
    'bad-value:6:12',
    'bad-value:6:18',
    'bad-value:6:29',
    'bad-value:6:35',
  ],
}

describe('a recipe with', () => {
  it.each(Object.entries(RECIPES))('%s', async (_, [text, ...faults]) => {
    const found = await faultsOf({ [APP]: text })
    expect(found).toEqual(faults.map((fault) => fault.replace(/^[a-z0-9-]+/, (code) => `${code} ${APP}`)))
  })

  it.each([
    ['brackets', '[\n'.repeat(20_000)],
    ['maps', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['dashes', `${'- '.repeat(2000)}\n`],
    ['a map of 10,000 keys', Array.from({ length: 10_000 }, (_, index) => `k${String(index)}: x`).join('\n')],
  ])('hostile depth or width: %s', async (_, text) => {
    expect(await faultsOf({ [APP]: text })).not.toEqual([])
  })
})

describe('words of our own, not the parser’s:', () => {
  it.each([
    ['a second document', 'name: app\n---\nname: app\n', 'it holds a second document; a file has one'],
    ['no number', recipe('app', 'style: auto\ncost: .nan'), '"cost" must be a number, but is the number NaN'],
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
    ['the value that was meant', recipe('app', 'style: auto\nconfigure: ["{{machine.tripel}}"]'), '"machine.triple"'],
    ['the recipe that was meant', recipe('app', 'inputs: [low/tolo]\nstyle: auto'), '"low/tool"'],
  ])('name %s', async (_, text, hint) => {
    const faults = await faultsIn(await writeTree({ ...VALID, [APP]: text }))
    expect(faults.some((fault) => fault.hint?.includes(hint))).toBe(true)
  })
})

/** Changes of the valid tree beside one recipe, and the faults that follow. */
const TREES: Readonly<Record<string, [texts: Texts, ...faults: string[]]>> = {
  'no layers.yaml': [{ 'layers/layers.yaml': undefined }, 'missing-file layers/layers.yaml'],
  'an empty layers.yaml': [{ 'layers/layers.yaml': '' }, 'missing-field layers/layers.yaml:1:1'],
  'no machine': [{ 'layers/layers.yaml': 'layers: [low, high]\n' }, 'missing-field layers/layers.yaml:1:1'],
  'an unknown machine': [
    { 'layers/layers.yaml': 'machine: tyo\nlayers: [low, high]\n' },
    'unknown-machine layers/layers.yaml:1:10',
  ],
  'a machine without arch': [
    { 'layers/machines/toy.yaml': 'triple: x\n' },
    'missing-field layers/machines/toy.yaml:1:1',
  ],
  'a machine with a number': [
    { 'layers/machines/toy.yaml': 'arch: x\nbits: 64\n' },
    'wrong-type layers/machines/toy.yaml:2:7',
  ],
  'a layer without folder': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, higher]\n' },
    'missing-layer layers/layers.yaml:2:21',
  ],
  'a layer twice': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, low]\n' },
    'duplicate-layer layers/layers.yaml:2:21',
  ],
  'a layer named styles': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, styles]\n' },
    'bad-value layers/layers.yaml:2:21',
  ],
  'an unknown host layer': [
    { 'layers/layers.yaml': 'machine: toy\nhost-layers: [lo]\nlayers: [low, high]\n' },
    'unknown-layer layers/layers.yaml:2:15',
  ],
  'a file that includes itself': [
    { 'layers/layers.yaml': 'include: layers.yaml\nmachine: toy\nlayers: [low, high]\n' },
    'include-cycle layers/layers.yaml:1:10',
  ],
  'a later layer as input': [
    { 'layers/low/tool/recipe.yaml': recipe('tool', 'inputs: [high/app]\nstyle: plain') },
    'layer-order layers/low/tool/recipe.yaml:5:10',
  ],
  'a later layer as need': [
    { 'layers/low/tool/recipe.yaml': recipe('tool', 'needs: [high/app]\nstyle: plain') },
    'layer-order layers/low/tool/recipe.yaml:5:9',
  ],
  'a folder without recipe': [{ 'layers/low/empty/files/x': 'x' }, 'recipe-missing layers/low/empty'],
  'a recipe and an amendment': [
    { 'layers/high/app/amend.yaml': '' },
    'recipe-and-amendment layers/high/app/amend.yaml',
  ],
  'an unknown file in a recipe': [{ 'layers/high/app/README.md': '' }, 'unknown-file layers/high/app/README.md'],
  'an unknown file in a layer': [{ 'layers/high/README.md': '' }, 'unknown-file layers/high/README.md'],
  'an unknown file among styles': [{ 'layers/styles/x.yml': '' }, 'unknown-file layers/styles/x.yml'],
  'a patch that is none': [{ 'layers/high/app/patches/x.diff': '' }, 'unknown-file layers/high/app/patches/x.diff'],
  'patches that are a file': [{ 'layers/high/app/patches': '' }, 'special-file layers/high/app/patches'],
  'a style of another name': [
    { 'layers/styles/disk.yaml': 'name: disc\nsummary: x\nsteps: {a: b}\n' },
    'name-mismatch layers/styles/disk.yaml:1:7',
  ],
  'a style without steps': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\n' },
    'missing-field layers/styles/disk.yaml:1:1',
  ],
  'a style that extends nothing': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nextends: plan\n' },
    'unknown-style layers/styles/disk.yaml:3:10',
  ],
  'a style that extends itself': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nextends: disk\n' },
    'extends-cycle layers/styles/disk.yaml:3:10',
  ],
  'a style with a wrong template': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nsteps:\n  a: echo {{vresion}}\n' },
    'unknown-name layers/styles/disk.yaml:4:11',
  ],
  'a style out of order': [
    { 'layers/styles/disk.yaml': 'summary: x\nname: disk\nsteps: {a: b}\n' },
    'field-order layers/styles/disk.yaml:2:1',
  ],
  'a style with a wrong field': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nstep: {a: b}\n' },
    'unknown-field layers/styles/disk.yaml:3:1',
  ],
}

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

  it.each([
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
    expect((await faultsIn(folder)).map((fault) => describeFault(fault, folder))).toEqual([`symlink ${link}`])
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
    expect((await faultsIn(folder)).map((fault) => describeFault(fault, folder))).toEqual(['symlink src/b'])
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
      { 'product/layers/layers.yaml': 'include: ../../layers/layers.yaml\nhost-layers: [own]\nlayers: [own]\n' },
      'host-layer product/layers/layers.yaml:2:1',
    ],
    [
      'nothing to include',
      { 'product/layers/layers.yaml': 'include: ../none.yaml\nmachine: toy\nlayers: [own]\n' },
      'missing-file product/none.yaml',
    ],
  ])('refuses %s', async (_, texts, fault) => {
    const folder = await writeTree({ ...VALID, ...PRODUCT, ...texts })
    expect(
      (await faultsIn(folder, 'product/layers/layers.yaml')).map((found) => describeFault(found, folder)),
    ).toContain(fault)
  })
})
