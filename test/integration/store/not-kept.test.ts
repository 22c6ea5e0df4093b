import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { blobPath } from '../../../src/store/local/layout.ts'
import { artifactsNotKept } from '../../../src/store/not-kept.ts'
import { freshStore, id } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt } from '../../support/trees.ts'

test('counts, by recipe, stored artifacts of last actions that are not kept', async () => {
  const { store } = await freshStore()
  const record = async (recipe: string, key: string): Promise<Digest> => {
    const root = join(await temporaryFolder(), 'root')
    await writeTreeAt(root, { file: `${recipe} ${key}` })
    const { digest, size } = await store.trees.pack(root)
    await store.index.record(digestOf(`${recipe} ${key}`), {
      recipe: id(recipe),
      key: digestOf(key),
      artifact: digest,
      document: {},
      ...{ size, durationMs: 1, cpuMs: 1, peakMemory: 1 },
    })
    return digest
  }
  const kept = await record('base/a', 'now')
  await record('base/a', 'before')
  await record('other/b', 'one')
  await record('other/b', 'two')
  const gone = await record('other/c', 'gone')
  await removeTree(blobPath(store.root, gone))
  expect(await artifactsNotKept(store, new Set([kept]))).toEqual([
    { recipe: 'base/a', artifacts: 1, bytes: 2048 },
    { recipe: 'other/b', artifacts: 2, bytes: 4096 },
  ])
})
