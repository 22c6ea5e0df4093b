import { link, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { takeLock } from '../../../src/store/local/lock.ts'
import { freshStore, nextSession } from '../../support/rig.ts'

describe('a claim', () => {
  it('is waited for until it is released, by this session and by others', async () => {
    const { store, folder } = await freshStore()
    const other = await nextSession(folder)
    const order: string[] = []
    const first = await store.session.lock('x')
    const waiting = [store, other.store].map(async ({ session }) => {
      const lock = await session.lock('x')
      order.push('begun')
      await Promise.resolve()
      order.push('ended')
      await lock.release()
    })
    const free = await other.store.session.lock('y')
    await free.release()
    expect(order).toEqual([])
    await first.release()
    await Promise.all(waiting)
    expect(order).toEqual(['begun', 'ended', 'begun', 'ended'])
    expect(await readdir(join(folder, 'locks'))).toEqual(['sessions', 'store'])
  })

  it('of a session that has ended is taken over, also while it is waited for', async () => {
    const { store, folder } = await freshStore()
    // As a killed engine leaves it: a file that nobody has locked.
    await writeFile(join(folder, 'locks/left'), '')
    await (await store.session.lock('left')).release()

    await writeFile(join(folder, 'of-a-session'), '')
    const alive = await takeLock(join(folder, 'of-a-session'))
    await link(join(folder, 'of-a-session'), join(folder, 'locks/held'))
    let isTaken = false
    const taken = store.session.lock('held').then((lock) => {
      isTaken = true
      return lock
    })
    await (await store.session.lock('other')).release()
    expect(isTaken).toBe(false)
    await alive?.release()
    await (await taken).release()
  })

  it('is not waited for any longer after an interruption', async () => {
    const { store } = await freshStore()
    const held = await store.session.lock('x')
    const interrupt = new AbortController()
    const waiting = store.session.lock('x', interrupt.signal)
    interrupt.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await held.release()
    await (await store.session.lock('x')).release()
  })

  it('is had by one at a time, however many want it', async () => {
    const { store, folder } = await freshStore()
    const sessions = [store, (await nextSession(folder)).store, (await nextSession(folder)).store]
    let holders = 0
    let most = 0
    const use = async (at: number): Promise<void> => {
      const lock = await sessions[at % 3]!.session.lock('x')
      holders += 1
      most = Math.max(most, holders)
      await new Promise((resolve) => setImmediate(resolve))
      holders -= 1
      await lock.release()
    }
    await Promise.all(Array.from({ length: 30 }, (_, at) => use(at)))
    expect(most).toBe(1)
  })
})
