import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { exists } from '../../../src/base/files.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { Roots } from '../../../src/build/roots.ts'
import type { Part } from '../../../src/sandbox/sysroot.ts'
import { freshStore } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt, type Tree } from '../../support/trees.ts'

const FRAME = { host: false, folders: [], files: [] }

/** A part made of one tree, and roots in the store that it is in. */
async function partsOf(...trees: readonly Tree[]): Promise<{ parts: Part[]; roots: Roots }> {
  const { store } = await freshStore()
  const parts: Part[] = []
  for (const [at, tree] of trees.entries()) {
    const files = await temporaryFolder()
    await writeTreeAt(files, tree)
    const { digest } = await store.trees.pack(files)
    const { folder, listing } = await store.trees.unpack(digest)
    parts.push({ recipe: `base/r${at}` as RecipeId, tree: folder, listing })
  }
  return { parts, roots: new Roots(() => store.session.temporaryPath('root')) }
}

it('of the same inputs is one, also when two ask at once', async () => {
  const { parts, roots } = await partsOf({ 'usr/bin/one': '1' }, { 'usr/bin/two': '2' })
  const [first, second] = await Promise.all([
    roots.rootOf(parts, FRAME, {}),
    roots.rootOf(parts, FRAME, {}),
  ])
  expect(second).toBe(first)
  expect(await readFile(join(first, 'usr/bin/two'), 'utf8')).toBe('2')
  expect((await stat(first)).mode & 0o7777).toBe(0o755)
  expect(await roots.rootOf(parts, FRAME, {})).toBe(first)
})

it('of other inputs, or with other mount points, is another', async () => {
  const { parts, roots } = await partsOf({ 'usr/bin/one': '1' }, { 'usr/bin/two': '2' })
  const all = await roots.rootOf(parts, FRAME, {})
  const less = await roots.rootOf(parts.slice(1), FRAME, {})
  const more = await roots.rootOf(parts, { ...FRAME, folders: ['contents'] }, {})
  expect(new Set([all, less, more]).size).toBe(3)
  expect(await exists(join(less, 'usr/bin/one'))).toBe(false)
  expect(await exists(join(all, 'contents'))).toBe(false)
  expect(await exists(join(more, 'contents'))).toBe(true)
})

it('that cannot be composed says so to each who asks', async () => {
  const { parts, roots } = await partsOf({ 'usr/bin/one': '1' }, { 'usr/bin/one': '2' })
  for (let round = 0; round < 2; round++)
    await expect(roots.rootOf(parts, FRAME, {})).rejects.toMatchObject({
      code: 'path-claimed-twice',
    })
})
