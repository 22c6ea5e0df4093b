import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Digest } from '../../../src/base/digest.ts'
import { exists } from '../../../src/base/files.ts'
import { treePath } from '../../../src/store/local/layout.ts'
import { SESSION_LOCK } from '../../../src/store/local/session-folder.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { CAN_CUT_POWER, testDisk, type TestDisk } from '../../support/power.ts'
import { artifactOf, nextSession, putBlob } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyBuild, toyMetadata, TOOLS, toyStore, type ToyStore } from '../../support/toy.ts'
import { writeTreeAt } from '../../support/trees.ts'

/** A disk with a store, into which a session that goes on has just put a tree. */
async function freshTree(): Promise<{ disk: TestDisk; before: ToyStore; digest: Digest }> {
  const disk = await testDisk()
  const before = await toyStore(join(disk.folder, 'store'))
  const files = await temporaryFolder()
  await writeTreeAt(files, {
    'usr/share/text': 'a text\n',
    'usr/share/long': 'x'.repeat(100_000),
  })
  const { digest } = await before.store.trees.pack(files)
  await before.store.trees.unpack(digest)
  return { disk, before, digest }
}

describe.runIf(CAN_CUT_POWER)('a store whose disk lost its power', () => {
  it('has no tree whose files are not whole, once a session has begun', async () => {
    const { disk, before, digest } = await freshTree()
    // Writes the journal, and with it the tree's place.
    await putBlob(before.store, 'another')

    const folder = await disk.cutPower()
    await before.store.session.close().catch(() => undefined)
    const { store } = await nextSession(join(folder, 'store'))
    expect(await verifyStore(store)).toMatchObject([{ what: 'tree', digest }])
    await store.session.sweep()
    expect(await verifyStore(store)).toEqual([])
    expect(await exists(treePath(store.root, digest))).toBe(false)
  })

  it('has the trees of a session that came to its end', async () => {
    const { disk, before, digest } = await freshTree()
    await before.store.session.close()

    const folder = await disk.cutPower()
    const { store } = await nextSession(join(folder, 'store'))
    expect(await exists(treePath(store.root, digest))).toBe(true)
    expect(await verifyStore(store)).toEqual([])
  })

  it('has the trees of a killed session, once another has begun', async () => {
    const { disk, before, digest } = await freshTree()
    const killed = await before.store.session.folder()
    // Another file: the lock of the killed session is no longer held.
    await rm(join(killed, SESSION_LOCK))
    const { session } = (await nextSession(before.store.root)).store
    await session.folder()
    await session.close()
    expect(await exists(killed)).toBe(false)

    const folder = await disk.cutPower()
    await before.store.session.close().catch(() => undefined)
    const { store } = await nextSession(join(folder, 'store'))
    await store.session.sweep()
    expect(await exists(treePath(store.root, digest))).toBe(true)
    expect(await verifyStore(store)).toEqual([])
  })

  it('has the logs of all actions that are recorded', async () => {
    const disk = await testDisk()
    const before = await toyStore(join(disk.folder, 'store'))
    const artifact = artifactOf(await toyBuild(before, toyMetadata(TOOLS), [TOOLS.id]), TOOLS.id)

    const folder = await disk.cutPower()
    await before.store.session.close().catch(() => undefined)
    const { store } = await nextSession(join(folder, 'store'))
    expect(store.index.history(TOOLS.id)).toHaveLength(1)
    expect(store.blobs.has(artifact)).toBe(true)
    expect((await stat((await store.logs.newest(TOOLS.id)) ?? '')).size).toBeGreaterThan(0)
  })
})
