import { mkdtemp, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeFolder, removeTree } from '../../../src/base/files.ts'

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
