import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readIfThere } from '../../../src/base/beneath.ts'
import { commitFile } from '../../../src/base/commit-file.ts'
import { freeBytes, ifThere, makeFolder, requireFolder } from '../../../src/base/files.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-files-'))
  onTestFinished(() => removeTree(folder))
  return folder
}

test('makeFolder makes what is missing, and leaves what is there, a link to a folder too', async () => {
  const folder = await temporary()
  await makeFolder(join(folder, 'a/b/c'))
  expect((await stat(join(folder, 'a/b/c'))).isDirectory()).toBe(true)
  await symlink('a', join(folder, 'link'))
  for (const there of ['a/b/c', 'link', 'link/b/', '.']) await makeFolder(join(folder, there))
})

test('makeFolder ends where none can be made, and below a file', async () => {
  const folder = await temporary()
  await writeFile(join(folder, 'file'), '')
  await symlink('nowhere', join(folder, 'dangling'))
  await expect(makeFolder('/proc/fixpoint/below')).rejects.toMatchObject({
    kind: 'hostUnfit',
    code: 'no-folder',
  })
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await expect(makeFolder(join(folder, 'dangling/below'))).rejects.toMatchObject({
    code: 'no-folder',
  })
})

test('requireFolder finds out what makeFolder would meet, and makes nothing', async () => {
  const folder = await temporary()
  await writeFile(join(folder, 'file'), '')
  await symlink('nowhere', join(folder, 'dangling'))
  await symlink('.', join(folder, 'link'))
  for (const path of [folder, join(folder, 'new/below'), join(folder, 'link/new'), 'new'])
    await requireFolder(path)
  expect((await readdir(folder)).sort()).toEqual(['dangling', 'file', 'link'])
  for (const path of ['file', 'file/below', 'dangling', 'dangling/below'])
    await expect(requireFolder(join(folder, path))).rejects.toMatchObject({ code: 'no-folder' })
  if (process.getuid!() === 0) return
  await mkdir(join(folder, 'closed'), { mode: 0o555 })
  await expect(requireFolder(join(folder, 'closed/new'))).rejects.toMatchObject({ code: 'EACCES' })
})

test('what is missing is undefined, and every other failure stays one', async () => {
  const folder = await temporary()
  await writeFile(join(folder, 'file'), 'text')
  expect((await ifThere(lstat(join(folder, 'file'))))?.size).toBe(4)
  expect(await ifThere(lstat(join(folder, 'none')))).toBeUndefined()
  await expect(ifThere(lstat(join(folder, 'file/none')))).rejects.toMatchObject({ code: 'ENOTDIR' })
  expect(readIfThere(join(folder, 'file'))).toBe('text')
  expect(readIfThere(join(folder, 'none'))).toBeUndefined()
  expect(() => readIfThere(folder)).toThrow(expect.objectContaining({ code: 'not-a-file' }))
})

test('commitFile makes the folder above, and replaces files, links and folders', async () => {
  const folder = await temporary()
  await writeFile(join(folder, 'precious'), 'precious')
  const target = join(folder, 'a/b/file')
  const makers = [
    () => undefined,
    () => symlink(join(folder, 'precious'), target),
    () => mkdir(join(target, 'inside'), { recursive: true }),
  ]
  for (const [index, make] of makers.entries()) {
    await removeTree(target)
    await make()
    await writeFile(join(folder, 'fresh'), `${index}`)
    await commitFile(join(folder, 'fresh'), target)
    expect(await readFile(target, 'utf8')).toBe(`${index}`)
  }
  expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('precious')
})

test('freeBytes is of the file system of a path', async () => {
  expect(await freeBytes(await temporary())).toBeGreaterThan(0)
  expect(await freeBytes('/proc')).toBe(0)
})
