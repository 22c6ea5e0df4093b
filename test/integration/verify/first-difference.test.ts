import { mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFile } from '../../../src/base/beneath.ts'
import { digestOf } from '../../../src/base/digest.ts'
import type { UnpackedArtifact } from '../../../src/store/rooms.ts'
import { differenceOfFiles, firstDifference } from '../../../src/verify/first-difference.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** A tree of one file `d/f`, which has `size` bytes, the rest of them zero. */
async function treeOf(text: string, size: number): Promise<UnpackedArtifact> {
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

test.each([10, 300 << 20])(
  'files of %i bytes that are the same have no difference',
  async (size) => {
    const [a, b] = [await treeOf('ab', size), await treeOf('ab', size)]
    const difference = differenceOfFiles(
      openFile(join(a.folder, 'd/f')),
      openFile(join(b.folder, 'd/f')),
    )
    expect(await difference).toBeUndefined()
  },
)

test('what lies beyond a link in a tree is not read', async () => {
  const [a, b] = [await treeOf('ab', 2), await treeOf('ac', 2)]
  await rename(join(b.folder, 'd'), join(b.folder, 'e'))
  await symlink('e', join(b.folder, 'd'))
  await expect(firstDifference(a, b)).rejects.toMatchObject({ code: 'unsafe-path' })
})
