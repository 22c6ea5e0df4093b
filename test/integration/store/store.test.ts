import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freshStore } from '../../support/rig.ts'
import { NO_FILES, replace } from './no-files.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyStore } from '../../support/toy.ts'

describe('opening a store', () => {
  it.each(Object.entries(NO_FILES))('refuses one whose LAYOUT is %s', async (_what, make) => {
    const { folder } = await freshStore()
    await replace(join(folder, 'LAYOUT'), make)
    await expect(toyStore(folder)).rejects.toMatchObject({
      code: 'store-unreadable',
      kind: 'hostUnfit',
      message: expect.stringContaining(join(folder, 'LAYOUT')) as string,
    })
  })

  it.each(['logs', 'trees'])('refuses one whose folder %s is none', async (name) => {
    const { folder } = await freshStore()
    const { 'a folder': _, ...others } = NO_FILES
    for (const make of Object.values(others)) {
      await replace(join(folder, name), make)
      await expect(toyStore(folder)).rejects.toMatchObject({
        code: 'store-unreadable',
        kind: 'hostUnfit',
        message: expect.stringContaining(join(folder, name)) as string,
      })
    }
  })

  it('makes one in a new or empty folder and finds it again', async () => {
    const folder = join(await temporaryFolder(), 'deep/store')
    await toyStore(folder)
    expect(await readFile(join(folder, 'LAYOUT'), 'utf8')).toBe('fixpoint store 1\n')
    await toyStore(folder)
    expect((await readdir(folder)).filter((name) => name.startsWith('LAYOUT'))).toEqual(['LAYOUT'])
  })

  it.each(['fixpoint store 2\n', '', 'fixpoint store 1'])(
    'refuses another layout: %j',
    async (text) => {
      const folder = await temporaryFolder()
      await writeFile(join(folder, 'LAYOUT'), text)
      await expect(toyStore(folder)).rejects.toMatchObject({
        code: 'store-layout',
        kind: 'hostUnfit',
      })
      expect(await readdir(folder)).toEqual(['LAYOUT'])
    },
  )

  it('refuses a folder that holds something else and puts nothing there', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'letters.txt'), 'dear')
    await expect(toyStore(folder)).rejects.toMatchObject({
      code: 'store-occupied',
      message: expect.stringContaining('letters.txt') as string,
    })
    expect(await readdir(folder)).toEqual(['letters.txt'])
    await chmod(folder, 0o755)
    await expect(toyStore(folder)).rejects.toThrow()
    expect((await stat(folder)).mode & 0o777).toBe(0o755)
  })

  it.each(['a new one', 'one that was wider'])('lets only its owner in: %s', async (name) => {
    const folder = join(await temporaryFolder(), 'above/store')
    await toyStore(folder)
    if (name === 'one that was wider') {
      await chmod(folder, 0o755)
      await toyStore(folder)
    }
    expect((await stat(folder)).mode & 0o7777).toBe(0o700)
    const usual = join(folder, '../../usual')
    await mkdir(usual)
    expect((await stat(join(folder, '..'))).mode).toBe((await stat(usual)).mode)
  })

  it.runIf(process.getuid?.() === 0)("leaves another user's as it is", async () => {
    const { folder } = await freshStore()
    await chown(folder, 54_321, 54_321)
    await chmod(folder, 0o750)
    await toyStore(folder)
    expect((await stat(folder)).mode & 0o7777).toBe(0o750)
  })

  it('names a marker that is no file', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'LAYOUT'))
    await expect(toyStore(folder)).rejects.toMatchObject({
      code: 'store-unreadable',
      kind: 'hostUnfit',
      message: expect.stringContaining(join(folder, 'LAYOUT')) as string,
    })
  })
})
