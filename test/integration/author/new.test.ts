import { mkdir, readFile, readdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { parse } from 'yaml'
import { newLayer, newRecipe } from '../../../src/author/new.ts'
import { putNewFolder } from '../../../src/author/new-folder.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { recipeSchema } from '../../../src/metadata/format/schema.ts'
import { loadLayout, loadMetadata } from '../../../src/metadata/load.ts'
import { VALID, writeTree } from '../../support/metadata.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** The layers of an engine in a checkout of that name. */
async function engineIn(checkout: string): Promise<{ folder: string; engine: string }> {
  const texts = Object.entries(VALID).map(([path, text]) => [join(checkout, path), text] as const)
  const folder = await writeTree(Object.fromEntries(texts))
  return { folder, engine: join(folder, checkout, 'layers/layers.yaml') }
}

describe('a new layer', () => {
  it.each(['ck', 'ck # x', 'ck: y', "it's", '- a', 'x\ny'])(
    'can be loaded on top of the checkout %j',
    async (checkout) => {
      const { folder, engine } = await engineIn(checkout)
      const file = await newLayer(join(folder, 'mine/layers'), 'own', engine)
      expect((await loadMetadata(file)).layers).toEqual(['low', 'high', 'own'])
    },
  )

  it.each(['true', '123', '1e3', 'null', '0x1'])('may be called %s', async (name) => {
    const { folder, engine } = await engineIn('ck')
    const file = await newLayer(join(folder, 'mine/layers'), name, engine)
    expect((await loadMetadata(file)).layers).toContain(name)
  })

  it.each(['styles', 'machines', 'high'])('may not be called %s', async (name) => {
    const { folder, engine } = await engineIn('ck')
    await expect(newLayer(join(folder, 'mine/layers'), name, engine)).rejects.toMatchObject({
      code: 'bad-name',
      hint: `Choose another name, such as "my-${name}"`,
    })
    expect(await readdir(folder)).toEqual(['ck'])
  })

  it('can be loaded by the link that led to it, and without', async () => {
    const { folder, engine } = await engineIn('ck')
    await mkdir(join(folder, 'deep/er/still'), { recursive: true })
    await symlink('deep/er/still', join(folder, 'link'))
    const file = await newLayer(join(folder, 'link/new/layers'), 'own', engine)
    expect(file).toBe(join(folder, 'link/new/layers/layers.yaml'))
    const real = join(folder, 'deep/er/still/new/layers/layers.yaml')
    for (const path of [file, real]) expect((await loadMetadata(path)).layers).toContain('own')
  })
})

test.each(['123', 'true', 'null', 'plain'])('a new recipe may be called %s', async (name) => {
  const folder = await writeTree(VALID)
  const layout = loadLayout(join(folder, 'layers/layers.yaml'))
  for (const style of ['plain', 'autotools']) {
    const file = await newRecipe(layout, name, 'low', { kind: 'recipe', style })
    const text = recipeSchema.parse(parse(await readFile(file, 'utf8')))
    expect(text).toMatchObject({ name, sources: [{ tree: [name] }] })
    await removeTree(dirname(file))
  }
  const image = await newRecipe(layout, name, 'high', {
    kind: 'image',
    base: 'low/zlib' as RecipeId,
    contents: [],
  })
  expect(recipeSchema.parse(parse(await readFile(image, 'utf8')))).toMatchObject({ name })
})

test('of several that make the same at once, one does', async () => {
  const folder = await temporaryFolder()
  const target = join(folder, 'new')
  const all = await Promise.allSettled(
    Array.from({ length: 8 }, (_, at) => putNewFolder(target, { text: String(at) })),
  )
  const codes = all.map((one) =>
    one.status === 'fulfilled' ? 'made' : (one.reason as { code?: string }).code,
  )
  expect(codes.sort()).toEqual(['made', ...Array.from({ length: 7 }, () => 'new-there')])
  expect(await readdir(folder)).toEqual(['new'])
})
