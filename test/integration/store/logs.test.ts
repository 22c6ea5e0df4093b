import { utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { freshStore, id } from '../../support/rig.ts'
import { NO_FILES } from './no-files.ts'

describe('logs', () => {
  it.each(Object.entries(NO_FILES))('names a log that is %s', async (_what, make) => {
    const { store } = await freshStore()
    const log = await store.logs.path(id('base/a'), digestOf('key'))
    await make(log)
    const named = { code: 'store-unreadable', message: expect.stringContaining(log) as string }
    await expect(store.logs.path(id('base/a'), digestOf('key'))).rejects.toMatchObject(named)
    await expect(store.logs.newest(id('base/a'))).rejects.toMatchObject(named)
  })

  it('finds the newest log of a recipe, and none of a recipe without any', async () => {
    const { store } = await freshStore()
    const [first, second] = [
      await store.logs.path(id('base/a'), digestOf('first')),
      await store.logs.path(id('base/a'), digestOf('second')),
    ]
    expect(await store.logs.newest(id('base/a'))).toBeUndefined()
    for (const path of [first, second]) await writeFile(path, '')
    await utimes(first, 2000, 2000)
    await utimes(second, 1000, 1000)
    expect(await store.logs.newest(id('base/a'))).toBe(first)
    await utimes(second, 3000, 3000)
    expect(await store.logs.newest(id('base/a'))).toBe(second)
    expect(await store.logs.newest(id('base/b'))).toBeUndefined()
  })
})
