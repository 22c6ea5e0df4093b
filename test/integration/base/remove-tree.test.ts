import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { asUser } from '../../support/as-user.ts'
import { temporaryFolder } from '../../support/temporary.ts'

describe('removing a tree', () => {
  it.each<[name: string, files: number]>([
    ['a small one', 3],
    ['a large one', 700],
  ])('takes %s, with locked folders, odd names and links, and nothing else', async (_, files) => {
    const folder = await temporaryFolder()
    const tree = join(folder, 'tree')
    await mkdir(join(folder, 'precious'))
    await writeFile(join(folder, 'precious/file'), '')
    await mkdir(join(tree, 'a/b/locked'), { recursive: true })
    await symlink('../precious', join(tree, 'link'))
    await symlink(join(folder, 'precious'), join(tree, 'a/b/link'))
    execFileSync('sh', ['-c', 'mkfifo "$0/fifo"; : > "$0/$(printf "\\377\\n")"', tree])
    for (let at = 0; at < files; at++) await writeFile(join(tree, 'a', `${at}`), '')
    await writeFile(join(tree, 'a/b/locked/file'), '')
    await chmod(join(tree, 'a/b/locked'), 0)
    await removeTree(tree)
    expect(await readdir(folder)).toEqual(['precious'])
    expect(await readdir(join(folder, 'precious'))).toEqual(['file'])
  })

  it('takes locked folders whose names are no text, and deep ones', async () => {
    const folder = await temporaryFolder()
    const script = `mkdir tree; cd tree; odd=$(printf '\\377')
      mkdir -p "$odd/inner"; : > "$odd/inner/f"; chmod 0 "$odd/inner" "$odd"
      perl -e 'for (1..2500) { mkdir "d"; chdir "d" } for (1..2500) { chdir ".."; chmod 0, "d" }'`
    execFileSync('sh', ['-euc', script], { cwd: folder })
    await asUser(folder, () => removeTree(join(folder, 'tree')))
    expect(await readdir(folder)).toEqual([])
  })

  it.runIf(process.getuid?.() === 0)('says what it cannot remove', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'tree/a'), { recursive: true })
    await writeFile(join(folder, 'tree/a/file'), '')
    await chmod(folder, 0o755)
    await expect(
      asUser(folder, () => removeTree(join(folder, 'tree')), { own: false }),
    ).rejects.toMatchObject({
      code: 'host-refuses',
      message: expect.stringContaining('tree') as string,
    })
  })

  it('takes a file, a link itself, and is done where nothing is', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file'), '')
    await symlink('file', join(folder, 'link'))
    await removeTree(join(folder, 'link'))
    expect(await readdir(folder)).toEqual(['file'])
    await removeTree(join(folder, 'file'))
    await removeTree(join(folder, 'file'))
    await removeTree(join(folder, 'no/folder'))
    expect(await readdir(folder)).toEqual([])
  })
})
