import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Folder } from '../../../src/base/beneath.ts'
import { partName } from '../../../src/base/part-name.ts'
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
  it('makes a file, and replaces one and what a killed run of the same owner left', async () => {
    const { path, folder } = await held()
    await replaceFile(folder, 'a', write('one'))
    await writeFile(join(path, partName('me')), 'left')
    await replaceFile(folder, 'a', write('two'), partName('me'))
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('two')
    expect(await readdir(path)).toEqual(['a'])
  })

  it("takes nobody's file for a left one, and lets the last of many writers win", async () => {
    const { path, folder } = await held()
    await writeFile(join(path, 'a.part'), 'mine')
    const texts = Array.from({ length: 16 }, (_, index) => String(index))
    await Promise.all(texts.map((text) => replaceFile(folder, 'a', write(text))))
    expect(texts).toContain(await readFile(join(path, 'a'), 'utf8'))
    expect((await readdir(path)).sort()).toEqual(['a', 'a.part'])
    expect(await readFile(join(path, 'a.part'), 'utf8')).toBe('mine')
  })

  it('replaces no pipe', async () => {
    const { path, folder } = await held()
    await promisify(execFile)('mkfifo', [join(path, 'a')])
    await expect(replaceFile(folder, 'a', write('new'))).rejects.toMatchObject({
      code: 'output-in-the-way',
    })
    expect(folder.stat('a')?.isFIFO()).toBe(true)
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
    await symlink(precious, join(path, partName('me')))
    await replaceFile(folder, 'a', write('new'), partName('me'))
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
