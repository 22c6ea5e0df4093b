import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeWholeFolder } from '../../../src/base/whole-folder.ts'
import { asUser } from '../../support/as-user.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const fill = (part: string): Promise<void> => writeFile(join(part, 'file'), 'new')

describe('makeWholeFolder', () => {
  it.each([undefined, 'owner'])('leaves the folder of a user alone (%s)', async (owner) => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, '.new.part'))
    await writeFile(join(folder, '.new.part/precious'), 'mine')
    await makeWholeFolder(join(folder, 'new'), fill, owner)
    expect((await readdir(folder)).sort()).toEqual(['.new.part', 'new'])
    expect(await readFile(join(folder, '.new.part/precious'), 'utf8')).toBe('mine')
  })

  it('removes what a killed run of the same owner left', async () => {
    const folder = await temporaryFolder()
    const target = join(folder, 'new')
    let left = ''
    await makeWholeFolder(
      target,
      (part) => {
        left = part
        return fill(part)
      },
      'owner',
    )
    await mkdir(left)
    await writeFile(join(left, 'half'), '')
    await makeWholeFolder(join(folder, 'other'), fill, 'owner')
    expect(await readdir(left)).toEqual(['half'])
    await writeFile(join(target, 'gone'), '')
    const failed = makeWholeFolder(target, () => Promise.reject(new Error('no')), 'owner')
    await expect(failed).rejects.toThrow('no')
    expect((await readdir(folder)).sort()).toEqual(['new', 'other'])
  })

  it('says that nothing can be made there', async () => {
    await expect(makeWholeFolder('/proc/x', fill)).rejects.toMatchObject({ code: 'no-folder' })
  })

  it.each([
    ['a folder', (path: string) => mkdir(join(path, 'inner'), { recursive: true })],
    ['a file', (path: string) => writeFile(path, 'mine')],
  ])('leaves %s that came to its place meanwhile', async (_, put) => {
    const folder = await temporaryFolder()
    const target = join(folder, 'new')
    const made = makeWholeFolder(target, async (part) => {
      await fill(part)
      await put(target)
    })
    await expect(made).rejects.toMatchObject({
      code: 'new-there',
      message: `Cannot make "${target}": something is there`,
    })
    expect(await readdir(folder)).toEqual(['new'])
  })

  it('names what it cannot make, and the folder that is closed to the user', async () => {
    const folder = await temporaryFolder()
    await chmod(folder, 0o555)
    await asUser(folder, async () => {
      await expect(makeWholeFolder(join(folder, 'new'), fill)).rejects.toMatchObject({
        code: 'host-refuses',
        message: `Cannot make "${join(folder, 'new')}": permission denied`,
        hint: expect.stringContaining(`the folder "${folder}"`) as string,
      })
    })
  })
})
