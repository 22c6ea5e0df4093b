import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mendLayers } from '../../../src/author/mend-layers.ts'
import { writeTree, type Texts } from '../../support/metadata.ts'

const TORN = "version: '1'\nname: x\n"

/** A tree with a layer beside layers.yaml, one beside its folder, and ones of others. */
function tree(layers: string): Promise<string> {
  const texts: Texts = {
    'layers/layers.yaml': layers,
    'layers/own/x/recipe.yaml': TORN,
    'layers/styles/s.yaml': 'summary: x\nname: s\nsteps: {a: b}\n',
    'layers/idle/x/recipe.yaml': TORN,
    'top/x/recipe.yaml': TORN,
    'top/y/amend.yaml': 'set: {}\namends: a/b\n',
    '123/x/recipe.yaml': TORN,
    'other/layers.yaml': 'layers: [theirs]\n',
    'other/theirs/x/recipe.yaml': TORN,
  }
  return writeTree(texts)
}

async function mendedIn(folder: string, file = 'layers/layers.yaml'): Promise<string[]> {
  const mended = await mendLayers(join(folder, file))
  return mended.map((one) => one.file.slice(folder.length + 1)).sort()
}

describe('the layers that are mended', () => {
  const OWN = ['layers/own/x/recipe.yaml', 'layers/styles/s.yaml']

  it('are those that layers.yaml lists, also beside its folder', async () => {
    const folder = await tree('include: ../other/layers.yaml\nlayers: [own, ../top, ../123]\n')
    const wanted = ['123/x/recipe.yaml', ...OWN, 'top/x/recipe.yaml', 'top/y/amend.yaml']
    expect(await mendedIn(folder)).toEqual(wanted)
    expect(await mendedIn(folder)).toEqual([])
  })

  it.each([
    ['other faults of its values', 'layers: [own, ../gone, ../../x, 7, {a: b}]\nodd: 1\n'],
    ['faults of its syntax', 'layers: [own]\nmachine: [\n'],
    ['no brackets', 'layers:\n  - own\n  - own\n'],
  ])('are found in a layers.yaml with %s', async (_, text) => {
    expect(await mendedIn(await tree(text))).toEqual(expect.arrayContaining(OWN))
  })

  it.each(['', 'layers: own\n', '[own]\n', '\t'])('are none in %j', async (text) => {
    expect(await mendedIn(await tree(text))).not.toContain('layers/own/x/recipe.yaml')
  })

  it('are found by a link to layers.yaml or to its folder, and are no links', async () => {
    const folder = await tree('layers: [own, ../link]\n')
    await symlink('top', join(folder, 'link'))
    await symlink('layers', join(folder, 'deep'))
    expect(await mendedIn(folder, 'deep/layers.yaml')).toEqual(OWN)
  })
})
