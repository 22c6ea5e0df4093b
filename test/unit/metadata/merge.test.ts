import { describe, expect, it } from 'vitest'
import {
  faultsIn,
  faultsOf,
  loadRecipe,
  loadTexts,
  patchText,
  recipe,
  SHA,
  VALID,
  writeTree,
  type Texts,
} from '../../support/metadata.ts'

const BASE = recipe(
  'base',
  `sources:\n  - sha256: ${SHA}\n    from: ['debian:a/a_{{version}}.tar']\n` +
    `  - sha256: ${SHA}\n    from: []\n    name: second\ninputs: [low/tool]\nstyle: auto\n` +
    `configure: [--a, --b]\nenv: {A: '1'}\nmemory: 1G`,
)

function extending(text: string): Texts {
  return {
    'layers/low/base/recipe.yaml': BASE,
    'layers/low/base/patches/1.patch': patchText('one'),
    'layers/low/base/files/f': 'f',
    'layers/high/own/recipe.yaml': `name: own\n${text}\n`,
  }
}

describe('extends', () => {
  it('takes all fields, patches and files, under its own name', async () => {
    const found = await loadRecipe('high/own', extending('extends: low/base'))
    expect(found).toMatchObject({
      id: 'high/own',
      name: 'own',
      layer: 'high',
      host: false,
      version: '1.0',
      license: 'MIT',
      inputs: ['low/tool'],
      env: { A: '1' },
      memory: 1024 ** 3,
    })
    expect(found.patches.map(({ name }) => name)).toEqual(['1.patch'])
    expect(found.files.map(({ name }) => name)).toEqual(['f'])
  })

  it('sets, removes and appends, in templates with the new version', async () => {
    const found = await loadRecipe(
      'high/own',
      extending(
        `version: '2.0'\nextends: low/base\nset: {memory: 2G}\nappend:\n  sources:\n` +
          `    - sha256: ${SHA}\n      from: ['debian:b/b_{{version}}.tar']\n` +
          `  configure: [--c]\nremove: {sources: ['a_{{version}}.tar'], configure: [--a]}`,
      ),
    )
    expect(found.memory).toBe(2 * 1024 ** 3)
    expect(found.steps[1]?.script).toContain('--b --c')
    expect(found.sources.map(({ name }) => name)).toEqual(['second', 'b_2.0.tar'])
  })

  it('removes patches and files by name and adds its own after the inherited ones', async () => {
    const texts = extending('extends: low/base\nremove: {patches: [1.patch], files: [f]}')
    const found = await loadRecipe('high/own', {
      ...texts,
      'layers/high/own/patches/1.patch': patchText('other'),
      'layers/high/own/patches/0.patch': patchText('zero'),
    })
    expect(found.patches.map(({ name }) => name)).toEqual(['0.patch', '1.patch'])
    expect(found.files).toEqual([])
  })

  it('keeps `file:` places relative to the recipe that wrote them', async () => {
    const texts = extending('extends: low/base')
    const found = await loadRecipe('high/own', {
      ...texts,
      'layers/low/base/recipe.yaml': BASE.replace('debian:a/a_{{version}}.tar', 'file:here.tar'),
    })
    expect(found.sources[0]).toMatchObject({
      from: [expect.stringMatching(/^file:\/.*\/layers\/low\/base\/here\.tar$/)],
    })
  })

  it('goes over several recipes', async () => {
    const texts = {
      ...extending('extends: low/base\nappend: {configure: [--c]}'),
      'layers/high/third/recipe.yaml':
        'name: third\nextends: high/own\nremove: {configure: [--b]}\n',
    }
    expect((await loadRecipe('high/third', texts)).steps[1]?.script).toContain('configure --a --c')
  })

  it('refuses wrong merges', async () => {
    const faults = await faultsOf(
      extending(
        'summary: x\nextends: low/base\nset: {summary: y, make: [x]}\nappend: {make: [y]}\n' +
          'remove: {configure: [--c]}',
      ),
    )
    expect(faults).toEqual([
      'merge-conflict layers/high/own/recipe.yaml:4:7',
      'merge-conflict layers/high/own/recipe.yaml:5:10',
      'missing-element layers/high/own/recipe.yaml:6:22',
    ])
  })

  it('refuses a removed patch or source that is not there', async () => {
    const faults = await faultsOf(
      extending('extends: low/base\nremove: {sources: [third], patches: [2.patch], files: [g]}'),
    )
    expect(faults).toEqual([
      'missing-element layers/high/own/recipe.yaml:3:20',
      'missing-element layers/high/own/recipe.yaml:3:38',
      'missing-element layers/high/own/recipe.yaml:3:56',
    ])
  })

  it('refuses a patch of the name of an inherited one', async () => {
    expect(
      await faultsOf({
        ...extending('extends: low/base'),
        'layers/high/own/patches/1.patch': patchText('x'),
      }),
    ).toEqual(['duplicate-file layers/high/own/patches/1.patch'])
  })

  it('refuses operators without it', async () => {
    expect(
      await faultsOf({
        'layers/high/app/recipe.yaml':
          'name: app\nversion: 1.0.0\nsummary: A\nlicense: MIT\nset: {cost: 1}\nstyle: auto\n',
      }),
    ).toEqual(['merge-without-extends layers/high/app/recipe.yaml:5:1'])
  })

  it('refuses unknown recipes, later layers and circles', async () => {
    expect(await faultsOf(extending('extends: low/bsae'))).toEqual([
      'unknown-recipe layers/high/own/recipe.yaml:2:10',
    ])
    expect(
      await faultsOf({ 'layers/low/early/recipe.yaml': 'name: early\nextends: high/app\n' }),
    ).toEqual(['layer-order layers/low/early/recipe.yaml:2:10'])
    const circle = {
      'layers/low/a/recipe.yaml': 'name: a\nextends: low/b\n',
      'layers/low/b/recipe.yaml': 'name: b\nextends: low/c\n',
      'layers/low/c/recipe.yaml': 'name: c\nextends: low/a\n',
    }
    expect(await faultsOf(circle)).toEqual(['extends-cycle layers/low/c/recipe.yaml:2:10'])
    expect(await faultsOf({ 'layers/low/a/recipe.yaml': 'name: a\nextends: low/a\n' })).toEqual([
      'extends-cycle layers/low/a/recipe.yaml:2:10',
    ])
  })

  it('does not repeat the faults of the base', async () => {
    expect(
      await faultsOf({
        ...extending('extends: low/base'),
        'layers/low/base/recipe.yaml': BASE.replace('style:', 'stile:'),
      }),
    ).toEqual(['unknown-field layers/low/base/recipe.yaml:12:1'])
  })
})

describe('env and steps', () => {
  const own = `name: own\nextends: low/base\n`
  const texts = (text: string): Texts => ({
    'layers/low/base/recipe.yaml': recipe(
      'base',
      "style: auto\nenv: {A: '1', B: '2'}\nsteps: {prepare: p, install: i}",
    ),
    'layers/high/own/recipe.yaml': own + text,
  })
  const shown = async (text: string) => {
    const { env, steps } = await loadRecipe('high/own', texts(text))
    return { env, steps: Object.fromEntries(steps.map(({ name, script }) => [name, script])) }
  }

  it('are replaced entry by entry; those that are not named stay', async () => {
    for (const text of [
      'env: {B: b, C: c}\nsteps: {install: other}',
      'set: {env: {B: b, C: c}, steps: {install: other}}',
    ]) {
      const { env, steps } = await shown(text)
      expect(env).toMatchObject({ A: '1', B: 'b', C: 'c' })
      expect(steps).toMatchObject({ prepare: 'p', install: 'other' })
    }
  })

  it('lose entries by name, and then have those of the style', async () => {
    const { env, steps } = await shown('set: {env: {C: c}}\nremove: {env: [A], steps: [install]}')
    expect(Object.keys(env)).toEqual(['CC', 'B', 'C'])
    expect(steps).toMatchObject({ prepare: 'p', install: 'make ' })
  })

  it('are replaced entry by entry by amendments too', async () => {
    const found = await loadRecipe('low/base', {
      ...texts('cost: 1'),
      'layers/high/base/amend.yaml': 'set: {steps: {install: other}}\n',
    })
    expect(found.steps.map(({ script }) => script)).toEqual(['p', './configure  && make ', 'other'])
  })

  it.each<[string, string, ...string[]]>([
    [
      'one that is not there',
      'remove: {env: [C], steps: [build]}',
      'missing-element:3:16',
      'missing-element:3:28',
    ],
    ['one that the file sets', 'set: {env: {A: x}}\nremove: {env: [A]}', 'merge-conflict:4:16'],
    [
      'one that the file states',
      'remove: {steps: [install]}\nsteps: {install: x}',
      'merge-conflict:3:18',
    ],
    ['all by an empty map', 'set: {env: {}}\nsteps: {}', 'empty-map:3:7', 'empty-map:4:1'],
    ['a map stated and set', 'set: {env: {A: x}}\nenv: {B: x}', 'merge-conflict:3:7'],
  ])('do not lose %s', async (_, text, ...faults) => {
    const file = 'layers/high/own/recipe.yaml'
    expect(await faultsOf(texts(text))).toEqual(
      faults.map((fault) => fault.replace(':', ` ${file}:`)),
    )
  })
})

describe('a version that changes', () => {
  const file = 'layers/high/base/amend.yaml'
  const amended = (text: string, from = "['debian:a/a_{{version}}.tar']", more = ''): Texts => ({
    'layers/low/base/recipe.yaml': recipe(
      'base',
      `sources:\n  - sha256: ${SHA}\n    from: ${from}${more}\nstyle: auto`,
    ),
    [file]: text,
  })

  it.each<[string, Texts, string]>([
    ['in an amendment', amended("set: {version: '2'}\n"), `${file}:1:16`],
    [
      'by the name',
      amended("set: {version: '2'}\n", '[]', '\n    name: a-{{ version }}'),
      `${file}:1:16`,
    ],
    [
      'in a recipe that extends',
      extending("version: '2'\nextends: low/base"),
      'layers/high/own/recipe.yaml:2:10',
    ],
  ])('brings new digests: %s', async (_, texts, place) => {
    expect(await faultsOf(texts)).toEqual([`version-without-digest ${place}`])
  })

  it('says where the digest is stated', async () => {
    const folder = await writeTree({ ...VALID, ...amended("set: {version: '2'}\n") })
    const [fault] = await faultsIn(folder)
    expect(fault?.hint).toContain(`${folder}/layers/low/base/recipe.yaml:6`)
  })

  it.each<[string, Texts]>([
    [
      'the sources are set',
      amended(
        `set:\n  version: '2'\n  sources:\n    - sha256: ${SHA}\n` +
          `      from: ['npm:a@{{version}}']\n`,
      ),
    ],
    ['no source has it', amended("set: {version: '2'}\n", "['npm:a@1']")],
    ['it stays the same', amended("set: {version: '1.0'}\n")],
    [
      'the source is taken out',
      amended("set: {version: '2'}\nremove: {sources: ['a_{{version}}.tar']}\n"),
    ],
  ])('is free to when %s', async (_, texts) => {
    expect(await faultsOf(texts)).toEqual([])
  })
})

describe('files of a folder', () => {
  it('do not lie where another one is', async () => {
    const texts = extending('extends: low/base')
    expect(await faultsOf({ ...texts, 'layers/high/own/files/f/g': 'x' })).toEqual([
      'duplicate-file layers/high/own/files/f/g',
    ])
  })
})

describe('amendments', () => {
  const amend = (text: string): Texts => ({
    'layers/low/base/recipe.yaml': BASE,
    'layers/high/base/amend.yaml': text,
  })

  it('change the recipe of that name in an earlier layer, and what extends it', async () => {
    const texts = {
      ...amend('set: {summary: Other}\nappend: {configure: [--late]}\n'),
      'layers/high/base/patches/fix.patch': patchText('fix'),
      'layers/low/own/recipe.yaml': 'name: own\nextends: low/base\n',
    }
    const { recipes } = await loadTexts(texts)
    for (const id of ['low/base', 'low/own']) {
      const found = [...recipes.values()].find((one) => one.id === id)
      expect(found).toMatchObject({ summary: 'Other', patches: [{ name: 'fix.patch' }] })
      expect(found?.steps[1]?.script).toContain('--b --late')
    }
  })

  it('may be empty but for a patch', async () => {
    const found = await loadRecipe('low/base', {
      ...amend(''),
      'layers/high/base/patches/fix.patch': patchText('fix'),
    })
    expect(found.patches).toHaveLength(1)
  })

  it('are applied in the order of layers', async () => {
    const found = await loadRecipe('low/base', {
      'layers/layers.yaml': 'machine: toy\nlayers: [low, high, top]\n',
      ...amend('append: {configure: [--high]}\n'),
      'layers/top/base/amend.yaml': 'append: {configure: [--top]}\nremove: {configure: [--high]}\n',
    })
    expect(found.steps[1]?.script).toContain('--a --b --top')
    expect(
      found.origins['configure']?.map(({ file, line }) => [
        file.split('/').slice(-3).join('/'),
        line,
      ]),
    ).toEqual([
      ['low/base/recipe.yaml', 13],
      ['high/base/amend.yaml', 1],
      ['top/base/amend.yaml', 2],
      ['top/base/amend.yaml', 1],
    ])
  })

  it('name the recipe when several have the name', async () => {
    const layers = {
      'layers/layers.yaml': 'machine: toy\nlayers: [low, high, top]\n',
      'layers/low/base/recipe.yaml': BASE,
      'layers/high/base/recipe.yaml': BASE,
    }
    expect(await faultsOf({ ...layers, 'layers/top/base/amend.yaml': 'set: {cost: 1}\n' })).toEqual(
      ['ambiguous-amendment layers/top/base/amend.yaml:1:1'],
    )
    expect(
      (
        await loadRecipe('high/base', {
          ...layers,
          'layers/top/base/amend.yaml': 'amends: high/base\nset: {cost: 1}\n',
        })
      ).cost,
    ).toBe(1)
  })

  it('refuse unknown recipes and their own layer', async () => {
    expect(await faultsOf({ 'layers/high/tol/amend.yaml': 'set: {cost: 1}\n' })).toEqual([
      'unknown-recipe layers/high/tol/amend.yaml:1:1',
    ])
    expect(
      await faultsOf({ 'layers/high/x/amend.yaml': 'amends: high/app\nset: {cost: 1}\n' }),
    ).toEqual(['layer-order layers/high/x/amend.yaml:1:9'])
  })

  it('do not bring in recipes of layers later than the recipe', async () => {
    expect(await faultsOf(amend('append: {inputs: [high/app]}\n'))).toEqual([
      'layer-order layers/high/base/amend.yaml:1:19',
    ])
  })
})

describe('origins', () => {
  it('tell where a field came from, styles first', async () => {
    const found = await loadRecipe('high/own', extending("extends: low/base\nset: {env: {B: '2'}}"))
    const shown = Object.entries(found.origins).map(([field, places]) => [
      field,
      places.map(
        ({ file, line, column }) =>
          `${file.split('/').slice(-2).join('/')}:${String(line)}:${String(column)}`,
      ),
    ])
    expect(Object.fromEntries(shown)).toMatchObject({
      name: ['own/recipe.yaml:1:1'],
      version: ['base/recipe.yaml:2:1'],
      env: ['styles/plain.yaml:3:1', 'base/recipe.yaml:14:1', 'own/recipe.yaml:3:7'],
      steps: ['styles/plain.yaml:5:1', 'styles/auto.yaml:4:1'],
      patches: ['base/patches:undefined:undefined'],
    })
    expect(found.origins).not.toHaveProperty('cost')
  })
})
