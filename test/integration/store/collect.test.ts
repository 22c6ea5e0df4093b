import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { collectGarbage } from '../../../src/store/collect-garbage.ts'
import { takeLock } from '../../../src/store/local/lock.ts'
import { nextSession } from '../../support/rig.ts'
import { filled } from './filled.ts'

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

  it('removes what a killed engine left under way', async () => {
    const { folder, store, kept } = await filled()
    await store.session.close()
    await mkdir(join(folder, 'work/session-left/tmp'), { recursive: true })
    await collectGarbage(store, new Set([kept]), true)
    expect(await readdir(join(folder, 'work'))).toEqual(['session-left'])
    await collectGarbage(store, new Set([kept]), false)
    expect(await readdir(join(folder, 'work'))).toEqual([])
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
