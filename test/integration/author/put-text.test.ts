import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { putText } from '../../../src/author/put-text.ts'
import { writePatches } from '../../../src/author/write-patches.ts'
import { asUser } from '../../support/as-user.ts'
import { temporaryFolder } from '../../support/temporary.ts'

describe('a folder that this user may not write to', () => {
  const refusal = (path: string, folder: string) => ({
    code: 'host-refuses',
    message: `Cannot write "${path}": permission denied`,
    hint: expect.stringContaining(`the folder "${folder}"`) as string,
  })

  it('keeps its recipe, and the error names that', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'recipe.yaml')
    await writeFile(file, 'name: a\n')
    await chmod(folder, 0o555)
    await asUser(folder, async () => {
      await expect(putText(file, 'name: b\n')).rejects.toMatchObject(refusal(file, folder))
    })
    expect(await readFile(file, 'utf8')).toBe('name: a\n')
    expect(await readdir(folder)).toEqual(['recipe.yaml'])
  })

  it('gets no patches', async () => {
    const folder = await temporaryFolder()
    const patches = join(folder, 'patches')
    await mkdir(patches)
    await chmod(folder, 0o555)
    await asUser(folder, async () => {
      const own = { folder, amendment: undefined }
      const written = writePatches(own, [{ name: '1.patch', bytes: Buffer.alloc(0) }])
      await expect(written).rejects.toMatchObject(refusal(patches, folder))
    })
    expect(await readdir(patches)).toEqual([])
  })
})

it('a link to a file stays, and the file gets the text', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'file'), 'old')
  await symlink('file', join(folder, 'link'))
  await putText(join(folder, 'link'), 'new')
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('new')
  expect((await readdir(folder)).sort()).toEqual(['file', 'link'])
})
