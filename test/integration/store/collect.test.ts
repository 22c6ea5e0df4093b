import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { collectGarbage } from '../../../src/store/collect-garbage.ts'
import { blobPath, listingPath, treePath } from '../../../src/store/local/layout.ts'
import { takeLock } from '../../../src/store/local/lock.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { freshStore, nextSession, putBlob } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { flipByte, writeTreeAt } from '../../support/trees.ts'

async function filled() {
  const { store, folder } = await freshStore()
  const pack = async (text: string) => {
    const root = join(await temporaryFolder(), 'root')
    await writeTreeAt(root, { file: text })
    return (await store.trees.pack(root)).digest
  }
  const [kept, unpacked, dropped] = [
    await pack('kept'),
    await pack('unpacked'),
    await pack('dropped'),
  ]
  await store.trees.unpack(kept)
  await store.trees.unpack(unpacked)
  await putBlob(store, 'source')
  for (const name of ['kept/base@a', 'damaged/x', 'partial/y'])
    await writeFile(join(folder, name), '')
  return { store, folder, kept, unpacked, dropped }
}

describe('collecting garbage', () => {
  it('waits for no build: it refuses while one holds the store', async () => {
    const { folder, store, kept } = await filled()
    const before = await readdir(folder, { recursive: true })
    const other = await nextSession(folder)
    await expect(collectGarbage(other.store, new Set([kept]), false)).rejects.toMatchObject({
      code: 'store-busy',
      kind: 'usage',
    })
    expect(await readdir(folder, { recursive: true })).toEqual(before)
    await store.session.close()
    await collectGarbage(other.store, new Set([kept]), false)
  })

  it('keeps what is named, removes the rest, and says how much; a dry run only says', async () => {
    const { folder, store, kept, unpacked, dropped } = await filled()
    await store.session.close()
    const keep = new Set([kept, digestOf('source')])
    const before = (await readdir(folder, { recursive: true })).sort()
    const counted = await collectGarbage(store, keep, true)
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before)
    expect(await collectGarbage(store, keep, false)).toEqual(counted)
    expect(counted).toEqual({ blobs: 2, trees: 1, bytes: 2 * 2048 })
    const after = await readdir(folder, { recursive: true })
    expect(
      after.filter(
        (path) =>
          path.includes(unpacked) ||
          path.includes(dropped) ||
          /^(kept|damaged|partial)\//.test(path),
      ),
    ).toEqual([])
    expect(after.filter((path) => path.includes(kept))).toHaveLength(4)
    const next = await nextSession(folder)
    await next.store.trees.unpack(kept)
    await next.store.blobs.file(digestOf('source'))
    expect(next.events).toEqual([])
  })

  it('shuts out builds while it works', async () => {
    const { folder, store } = await filled()
    await store.session.close()
    const held = await takeLock(join(folder, 'locks', 'store'))
    const next = await nextSession(folder)
    let began = false
    const session = next.store.session.folder().then(() => (began = true))
    expect(
      await takeLock(join(folder, 'locks', 'store'), { tryOnly: true, shared: true }),
    ).toBeUndefined()
    expect(began).toBe(false)
    await held?.release()
    await session
  })
})

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

describe('a lock', () => {
  it('is had by one, or by several who share it', async () => {
    const path = join(await temporaryFolder(), 'lock')
    await writeFile(path, '')
    const shared = [
      await takeLock(path, { shared: true }),
      await takeLock(path, { shared: true, tryOnly: true }),
    ]
    expect(shared[1]).toBeDefined()
    expect(await takeLock(path, { tryOnly: true })).toBeUndefined()
    for (const lock of shared) await lock?.release()
    const own = await takeLock(path, { tryOnly: true })
    expect(await takeLock(path, { tryOnly: true, shared: true })).toBeUndefined()
    await own?.release()
  })

  it('is not waited for any longer after an interruption, and a held one stays held until it is released', async () => {
    const path = join(await temporaryFolder(), 'lock')
    await writeFile(path, '')
    const interrupt = new AbortController()
    const held = await takeLock(path, { signal: interrupt.signal })
    const waiting = takeLock(path, { signal: interrupt.signal })
    interrupt.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    expect(await takeLock(path, { tryOnly: true })).toBeUndefined()
    await held?.release()
    const next = await takeLock(path, { tryOnly: true })
    expect(next).toBeDefined()
    await next?.release()
  })

  it('that cannot be taken says why', async () => {
    await expect(takeLock('/nowhere/lock')).rejects.toMatchObject({ code: 'lock-failed' })
  })
})
