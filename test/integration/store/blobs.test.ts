import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { exists } from '../../../src/base/files.ts'
import { adoptFile } from '../../../src/store/adopt-file.ts'
import { blobPath } from '../../../src/store/local/layout.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { eventsOf, freshStore, nextSession, putBlob } from '../../support/rig.ts'
import { NO_FILES, replace } from './no-files.ts'
import { flipByte } from '../../support/trees.ts'

/** Everything that lies in a store, but locks and sessions. */
async function contentsOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true }))
    .filter((path) => !/^(locks|work|trees\/[^/]+\/)/.test(path))
    .sort()
}

describe('blobs', () => {
  it('adopts a file under its digest, and refuses one under another', async () => {
    const { store, folder } = await freshStore()
    const path = await store.session.temporaryPath('download')
    await writeFile(path, 'text')
    const before = await contentsOf(folder)
    await expect(adoptFile(store.blobs, path, digestOf('other'))).rejects.toMatchObject({
      code: 'blob-digest',
      kind: 'fetch',
      message: expect.stringMatching(
        new RegExp(`${digestOf('text')}.*${digestOf('other')}`),
      ) as string,
    })
    expect(await contentsOf(folder)).toEqual(before)
    await adoptFile(store.blobs, path, digestOf('text'))
    expect(store.blobs.has(digestOf('text'))).toBe(true)
    expect(await readFile(blobPath(store.root, digestOf('text')), 'utf8')).toBe('text')
    expect(await exists(path)).toBe(false)
  })

  it.each(Object.entries(NO_FILES))(
    'takes %s for no blob, and sets it aside for the blob',
    async (_what, make) => {
      const { store, events } = await freshStore()
      const digest = await putBlob(store, 'precious')
      await replace(blobPath(store.root, digest), make)
      expect(store.blobs.has(digest)).toBe(false)
      expect(await verifyStore(store)).toMatchObject([{ what: 'blob', digest }])
      await putBlob(store, 'precious')
      expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'blob', name: digest }])
      expect(await readFile(blobPath(store.root, digest), 'utf8')).toBe('precious')
      // Again, with something set aside already.
      await replace(blobPath(store.root, digest), make)
      await expect(store.blobs.file(digest)).rejects.toMatchObject({ code: 'blob-damaged' })
      expect(await verifyStore(store)).toEqual([])
    },
  )

  it('says of a blob that is none when it is wanted as an artifact, and leaves it', async () => {
    const { store, events } = await freshStore()
    const digest = await putBlob(store, 'a source')
    for (const use of [() => store.trees.unpack(digest), () => store.trees.listing(digest)])
      await expect(use()).rejects.toMatchObject({ code: 'not-an-artifact', kind: 'fetch' })
    await store.blobs.file(digest)
    expect(events).toEqual([])
  })

  it('sets a damaged blob aside and names it', async () => {
    const { store, events } = await freshStore()
    const digest = await putBlob(store, 'precious')
    const blob = await store.blobs.file(digest)
    const next = await nextSession(store.root)
    await flipByte(blob, 3)
    await expect(next.store.blobs.file(digest)).rejects.toMatchObject({
      code: 'blob-damaged',
      message: expect.stringContaining(digest) as string,
    })
    expect(eventsOf(next.events, 'store-repair')).toMatchObject([{ what: 'blob', name: digest }])
    expect(store.blobs.has(digest)).toBe(false)
    expect(await exists(join(store.root, 'damaged', digest))).toBe(true)
    // The next to ask gets an answer that it can act on as well.
    await expect(next.store.blobs.file(digest)).rejects.toMatchObject({ code: 'blob-missing' })
    await putBlob(store, 'precious')
    await next.store.blobs.file(digest)
    expect(eventsOf(events, 'store-repair')).toEqual([])
  })

  it('are read and compared once a session, and as often as someone asks for a check', async () => {
    const { store, events } = await freshStore()
    const digest = await putBlob(store, 'precious')
    const path = await store.blobs.file(digest)
    expect(await store.blobs.uncheckedFile(digest)).toBe(path)
    await flipByte(path, 3)
    expect(await store.blobs.file(digest)).toBe(path)
    await expect(store.blobs.check(digest)).rejects.toMatchObject({ code: 'blob-damaged' })
    expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'blob', name: digest }])
    await expect(store.blobs.check(digest)).rejects.toMatchObject({ code: 'blob-missing' })
  })
})
