import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { takeLock } from '../../../src/store/local/lock.ts'
import { openSession } from '../../../src/store/local/session-folder.ts'
import { freshStore } from '../../support/rig.ts'

/** Takes the locks that a session holds; those of one that ended, however that was, are free. */
async function expectFree(folder: string): Promise<void> {
  for (const name of ['store', 'sessions']) {
    const lock = await takeLock(join(folder, 'locks', name), { tryOnly: true })
    expect(lock, name).toBeDefined()
    await lock?.release()
  }
}

describe('a session', () => {
  it('gives each who asks a path of their own, also when many ask at once', async () => {
    const { store } = await freshStore()
    const asked = Array.from({ length: 100 }, () => store.session.temporaryPath('same'))
    expect(new Set(await Promise.all(asked)).size).toBe(100)
  })

  it('sweeps what lies in the work folder, be it no folder', async () => {
    const { folder } = await freshStore()
    await writeFile(join(folder, 'work/stray'), '')
    await symlink('nowhere', join(folder, 'work/link'))
    await mkdir(join(folder, 'work/session-left'))
    const session = await openSession(folder)
    expect(await readdir(join(folder, 'work'))).toHaveLength(1)
    await session.close()
    await expectFree(folder)
  })

  it('that cannot begin leaves no lock behind', async () => {
    const { folder } = await freshStore()
    await removeTree(join(folder, 'work'))
    await writeFile(join(folder, 'work'), '')
    await expect(openSession(folder)).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expectFree(folder)
  })

  it('that cannot end leaves no lock behind', async () => {
    const { folder } = await freshStore()
    const session = await openSession(folder)
    await removeTree(join(folder, 'locks/sessions'))
    await mkdir(join(folder, 'locks/sessions'))
    await expect(session.close()).rejects.toMatchObject({ kind: 'hostUnfit' })
    const lock = await takeLock(join(folder, 'locks/store'), { tryOnly: true })
    expect(lock).toBeDefined()
    await lock?.release()
  })
})
