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

interface Given {
  readonly parts: Part[]
  readonly roots: Roots
  /** Roots that were removed. */
  readonly discarded: string[]
}

/** A part made of one tree, and roots in the store that it is in. */
async function partsOf(...trees: readonly Tree[]): Promise<Given> {
  const { store } = await freshStore()
  const parts: Part[] = []
  for (const [at, tree] of trees.entries()) {
    const files = await temporaryFolder()
    await writeTreeAt(files, tree)
    const { digest } = await store.trees.pack(files)
    const { folder, listing } = await store.trees.unpack(digest)
    parts.push({ recipe: `base/r${at}` as RecipeId, tree: folder, listing })
  }
  const discarded: string[] = []
  const roots = new Roots(
    () => store.session.temporaryPath('root'),
    (folder) => Promise.resolve(void discarded.push(folder)),
  )
  return { parts, roots, discarded }
}

it('of the same inputs is one, also when two ask at once', async () => {
  const { parts, roots } = await partsOf({ 'usr/bin/one': '1' }, { 'usr/bin/two': '2' })
  const [first, second] = await Promise.all([
    roots.take(parts, FRAME, {}),
    roots.take(parts, FRAME, {}),
  ])
  expect(second.path).toBe(first.path)
  expect(await readFile(join(first.path, 'usr/bin/two'), 'utf8')).toBe('2')
  expect((await stat(first.path)).mode & 0o7777).toBe(0o755)
  await first.release()
  await second.release()
  expect((await roots.take(parts, FRAME, {})).path).toBe(first.path)
})

it('of other inputs, or with other mount points, is another', async () => {
  const { parts, roots } = await partsOf({ 'usr/bin/one': '1' }, { 'usr/bin/two': '2' })
  const { path: all } = await roots.take(parts, FRAME, {})
  const { path: less } = await roots.take(parts.slice(1), FRAME, {})
  const { path: more } = await roots.take(parts, { ...FRAME, folders: ['contents'] }, {})
  expect(new Set([all, less, more]).size).toBe(3)
  expect(await exists(join(less, 'usr/bin/one'))).toBe(false)
  expect(await exists(join(all, 'contents'))).toBe(false)
  expect(await exists(join(more, 'contents'))).toBe(true)
})

it('stays while it is used, and is removed when many came after it', async () => {
  const { parts, roots, discarded } = await partsOf({ 'usr/bin/one': '1' })
  const rootWith = (folder: string): ReturnType<Roots['take']> =>
    roots.take(parts, { ...FRAME, folders: [folder] }, {})
  const used = await rootWith('used')
  const idle = await rootWith('idle')
  await idle.release()
  for (let at = 0; at < 20; at++) await (await rootWith(`later${at}`)).release()
  expect(discarded).toHaveLength(20 + 1 - 8)
  expect(discarded[0]).toBe(idle.path)
  expect(discarded).not.toContain(used.path)
  await used.release()
  expect((await rootWith('idle')).path).not.toBe(idle.path)
})

it('that cannot be composed says so to each who asks', async () => {
  const { parts, roots } = await partsOf({ 'usr/bin/one': '1' }, { 'usr/bin/one': '2' })
  for (let round = 0; round < 2; round++)
    await expect(roots.take(parts, FRAME, {})).rejects.toMatchObject({
      code: 'path-claimed-twice',
    })
})
