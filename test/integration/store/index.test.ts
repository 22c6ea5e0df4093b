import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { IndexEntry } from '../../../src/store/rooms.ts'
import { eventsOf, freshStore, id, nextSession } from '../../support/rig.ts'
import { NO_FILES } from './no-files.ts'
import { flipByte } from '../../support/trees.ts'

describe('the index', () => {
  const entry: IndexEntry = {
    recipe: id('base/a'),
    key: digestOf('key'),
    artifact: digestOf('artifact'),
    document: { a: 1 },
    size: 1,
    durationMs: 2,
    cpuMs: 3,
    peakMemory: 4,
  }

  it('finds what was recorded, in the next session too', async () => {
    const { store, folder } = await freshStore()
    expect(store.index.find(entry.key)).toBeUndefined()
    await store.index.record(entry.key, entry)
    expect((await nextSession(folder)).store.index.find(entry.key)).toEqual(entry)
  })

  it('takes an entry with any one byte flipped for missing, or reads it as it was', async () => {
    const { store, folder, events } = await freshStore()
    await store.index.record(entry.key, entry)
    const path = join(folder, 'index', entry.key)
    const { length } = await readFile(path)
    for (let at = 0; at < length; at++) {
      await flipByte(path, at)
      const found = store.index.find(entry.key)
      if (found !== undefined) expect({ ...found, check: undefined }).toMatchObject(entry)
      await flipByte(path, at)
    }
    expect(store.index.find(entry.key)).toEqual(entry)
    // Said once, not at every look.
    expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'index', name: path }])
  })

  it.each(Object.entries(NO_FILES))(
    'takes an entry that is %s for missing, and replaces it',
    async (_what, make) => {
      const { store, folder, events } = await freshStore()
      const path = join(folder, 'index', entry.key)
      await make(path)
      expect(store.index.find(entry.key)).toBeUndefined()
      expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'index', name: path }])
      await store.index.record(entry.key, entry)
      expect(store.index.find(entry.key)).toEqual(entry)
    },
  )

  it('takes an entry in the place of another for missing, and one without a check', async () => {
    const { store, folder, events } = await freshStore()
    const [own, host] = [entry.key, digestOf('key and fingerprint')]
    const paths = [own, host].map((name) => join(folder, 'index', name)) as [string, string]
    await store.index.record(own, entry)
    await store.index.record(host, entry)
    expect(store.index.find(host)).toEqual(entry)
    await copyFile(paths[1], paths[0])
    expect(store.index.find(own)).toBeUndefined()
    const { check, ...unchecked } = JSON.parse(await readFile(paths[1], 'utf8')) as Record<
      string,
      unknown
    >
    expect(check).toBeDefined()
    await writeFile(paths[1], JSON.stringify(unchecked))
    expect(store.index.find(host)).toBeUndefined()
    expect(eventsOf(events, 'store-repair').map(({ name }) => name)).toEqual(paths)
  })

  it.each(Object.entries(NO_FILES))(
    'does without a history that is %s, and replaces it',
    async (_what, make) => {
      const { store, folder } = await freshStore()
      await make(join(folder, 'index', 'base@a.history'))
      expect(store.index.history(entry.recipe)).toEqual([])
      await store.index.record(entry.key, entry)
      expect(store.index.history(entry.recipe)).toHaveLength(1)
    },
  )

  it('remembers the last five durations of a recipe, and does without when they are damaged', async () => {
    const { store, folder } = await freshStore()
    for (let run = 0; run < 7; run++)
      await store.index.record(digestOf(String(run)), { ...entry, durationMs: run })
    expect(store.index.history(entry.recipe).map(({ durationMs }) => durationMs)).toEqual([
      2, 3, 4, 5, 6,
    ])
    for (const text of ['null', '{"a":1}', '[{', '[null]', '[1]', '[{"name":1}]']) {
      await writeFile(join(folder, 'index', 'base@a.history'), text)
      expect(store.index.history(entry.recipe)).toEqual([])
    }
    await store.index.record(entry.key, entry)
    expect(store.index.history(entry.recipe)).toHaveLength(1)
  })

  it('lists the recipes that have a history, whatever their layers', async () => {
    const { store } = await freshStore()
    expect(await store.index.recipes()).toEqual([])
    for (const recipe of ['other/b', 'base/a@1', 'base/a'].map(id))
      await store.index.record(digestOf(recipe), { ...entry, recipe })
    expect(await store.index.recipes()).toEqual(['base/a', 'base/a@1', 'other/b'])
  })
})
