import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isNothing } from '../../../src/store/new-folder.ts'
import { mountAt } from '../../support/loops.ts'
import { temporaryFolder } from '../../support/temporary.ts'

test('a new folder takes the place of nothing, or of an empty folder', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'empty'))
  await mkdir(join(folder, 'full/file'), { recursive: true })
  await writeFile(join(folder, 'file'), '')
  await symlink('nowhere', join(folder, 'dangling'))
  for (const name of ['missing', 'empty', 'empty/'])
    expect(await isNothing(join(folder, name))).toBe(true)
  for (const name of ['full', 'file', 'dangling'])
    expect(await isNothing(join(folder, name))).toBe(false)
})

test('one that it cannot take the place of is found out before the work', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'empty'))
  await symlink('empty', join(folder, 'link'))
  await expect(isNothing(join(folder, 'link'))).rejects.toMatchObject({ code: 'no-folder' })
})

test.runIf(process.getuid?.() === 0)('so is the place of a mounted disk', async () => {
  const disk = mountAt(await temporaryFolder(), '-t', 'tmpfs', '-o', 'size=64k', 'none')
  await expect(isNothing(disk)).rejects.toMatchObject({
    code: 'no-folder',
    message: `Cannot make folder "${disk}": a disk is mounted there; name a new folder on it`,
  })
  expect(await isNothing(join(disk, 'new'))).toBe(true)
})
