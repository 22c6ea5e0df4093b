import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { takeLock } from '../../../src/store/local/lock.ts'
import { freshStore } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { NO_FILES } from './no-files.ts'

describe('a lock', () => {
  it.each(Object.entries(NO_FILES))('is not taken on %s', async (_what, make) => {
    const { store, folder } = await freshStore()
    await make(join(folder, 'locks/x'))
    await expect(store.session.lock('x')).rejects.toMatchObject({ code: 'store-unreadable' })
  })

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
