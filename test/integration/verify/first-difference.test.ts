import { mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { firstDifference, type Tree } from '../../../src/verify/first-difference.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** A tree of one file `d/f`, which has `size` bytes, the rest of them zero. */
async function treeOf(text: string, size: number): Promise<Tree> {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'd'))
  await writeFile(join(folder, 'd/f'), text)
  await truncate(join(folder, 'd/f'), size)
  return {
    folder,
    listing: [
      { type: 'folder', path: 'd', mode: 0o755 },
      { type: 'file', path: 'd/f', mode: 0o644, size, sha256: digestOf(text) },
    ],
  }
}

test.each([10, 300 << 20])(
  'the first byte that differs is named in files of %i bytes',
  async (size) => {
    const difference = await firstDifference(await treeOf('ab', size), await treeOf('ac', size))
    expect(difference).toMatchObject({
      path: 'd/f',
      count: 1,
      what: expect.stringMatching(/^offset 1\b/) as string,
    })
  },
)

test('what lies beyond a link in a tree is not read', async () => {
  const [a, b] = [await treeOf('ab', 2), await treeOf('ac', 2)]
  await rename(join(b.folder, 'd'), join(b.folder, 'e'))
  await symlink('e', join(b.folder, 'd'))
  await expect(firstDifference(a, b)).rejects.toMatchObject({ code: 'unsafe-path' })
})
