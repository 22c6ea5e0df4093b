import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blobPath, listingPath, treePath } from '../../../src/store/local/layout.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { flipByte } from '../../support/trees.ts'
import { filled } from './filled.ts'

describe('verifying a store', () => {
  it('finds nothing in a whole one, and names damaged blobs and trees without changing them', async () => {
    const { folder, store, kept, unpacked } = await filled()
    expect(await verifyStore(store)).toEqual([])
    await flipByte(blobPath(store.root, kept), 513)
    await flipByte(join(treePath(store.root, unpacked), 'file'), 0)
    await writeFile(listingPath(store.root, kept), '')
    const before = (await readdir(folder, { recursive: true })).sort()
    const faults = await verifyStore(store)
    expect(faults.map(({ what, digest }) => `${what} ${digest}`).sort()).toEqual(
      [`blob ${kept}`, `tree ${kept}`, `tree ${unpacked}`].sort(),
    )
    expect(faults.find(({ digest }) => digest === unpacked)?.reason).toBe('file: other content')
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before)
  })
})
