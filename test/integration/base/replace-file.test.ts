import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Folder } from '../../../src/base/beneath.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { replaceFile } from '../../../src/base/replace-file.ts'

async function held(): Promise<{ path: string; folder: Folder }> {
  const path = await mkdtemp(join(tmpdir(), 'fixpoint-test-replace-'))
  const folder = Folder.open(path)
  onTestFinished(async () => {
    folder.close()
    await removeTree(path)
  })
  return { path, folder }
}

const write =
  (text: string) =>
  (part: string): Promise<void> =>
    writeFile(part, text, { flag: 'wx' })

describe('replaceFile', () => {
  it('makes a file, and replaces one and what a killed run left', async () => {
    const { path, folder } = await held()
    await replaceFile(folder, 'a', write('one'))
    await writeFile(join(path, 'a.part'), 'left')
    await replaceFile(folder, 'a', write('two'))
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('two')
    expect(await readdir(path)).toEqual(['a'])
  })

  it('leaves the old file, and nothing else, when writing fails', async () => {
    const { path, folder } = await held()
    await writeFile(join(path, 'a'), 'old')
    const failure = new Error('no more room')
    const half = async (part: string): Promise<void> => {
      await writeFile(part, 'half')
      throw failure
    }
    await expect(replaceFile(folder, 'a', half)).rejects.toBe(failure)
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('old')
    expect(await readdir(path)).toEqual(['a'])
  })

  it('goes through no link of either name', async () => {
    const { path, folder } = await held()
    const precious = join(path, 'precious')
    await writeFile(precious, 'precious')
    await symlink(precious, join(path, 'a'))
    await symlink(precious, join(path, 'a.part'))
    await replaceFile(folder, 'a', write('new'))
    expect(await readFile(precious, 'utf8')).toBe('precious')
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('new')
  })

  it('refuses a part that turns out to be a link, and a folder in the way', async () => {
    const { path, folder } = await held()
    const link = (part: string): Promise<void> => symlink('/etc/hostname', part)
    await expect(replaceFile(folder, 'a', link)).rejects.toMatchObject({ code: 'unsafe-path' })
    await mkdir(join(path, 'b'))
    await expect(replaceFile(folder, 'b', write('new'))).rejects.toMatchObject({ code: 'EISDIR' })
    expect(await readdir(path)).toEqual(['b'])
  })
})
