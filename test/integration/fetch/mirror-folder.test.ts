import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { fillMirror } from '../../../src/fetch/fill-mirror.ts'
import type { FileSource } from '../../../src/metadata/model.ts'
import { CONTENT, DIGEST, source, useRig, WRONG } from './rig.ts'

const rig = useRig()

function folder(): string {
  return join(rig().folder, 'mirror')
}

/** Sources of CONTENT by these names. */
async function fill(...names: readonly string[]): Promise<{ files: number; copied: number }> {
  return await fillSources(names.map((name) => source([], { name })))
}

async function fillSources(
  sources: readonly FileSource[],
): Promise<{ files: number; copied: number }> {
  const path = await rig().write('blob', CONTENT)
  return await fillMirror(folder(), sources, () => Promise.resolve(path))
}

function checked(): string {
  return execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: folder(), encoding: 'utf8' })
}

test.each([
  'SHA256SUMS',
  'sha256sums',
  'Sha256Sums',
  '../x',
  '..',
  '',
  'a/b',
  'a\nb',
  'a\0b',
  'a'.repeat(256),
])('a source that cannot be in a mirror by its name spoils nothing: %j', async (name) => {
  await rig().write('mirror/SHA256SUMS', `${digestOf(WRONG)}  own\n`)
  await expect(fill('a.tar', name)).rejects.toMatchObject({ code: 'mirror-name' })
  expect(await readdir(folder())).toEqual(['SHA256SUMS'])
  expect(await readdir(rig().folder)).toEqual(expect.not.arrayContaining(['x']))
  expect(await readFile(join(folder(), 'SHA256SUMS'), 'utf8')).toBe(`${digestOf(WRONG)}  own\n`)
})

test('a source that recipes name differently is there by each name; a shared name gives way to digests', async () => {
  const other = { ...source([], { name: 'same.tar' }), sha256: digestOf(WRONG) }
  const wrong = await rig().write('wrong', WRONG)
  const right = await rig().write('right', CONTENT)
  const sources = [source([], { name: 'a.tar' }), source([], { name: 'same.tar' }), other]
  const filled = await fillMirror(folder(), sources, ({ sha256 }) =>
    Promise.resolve(sha256 === DIGEST ? right : wrong),
  )
  expect(filled).toEqual({ files: 3, copied: 3 })
  expect(checked().split('\n').sort()).toEqual(
    ['', `${DIGEST}: OK`, `${digestOf(WRONG)}: OK`, 'a.tar: OK'].sort(),
  )
})

test.each(['fifo', 'folder', 'device'])(
  '%s by the name of a source, or of the list: named, and left alone',
  async (kind) => {
    const make = async (path: string): Promise<void> => {
      if (kind === 'fifo') execFileSync('mkfifo', [path])
      else if (kind === 'folder') await mkdir(path)
      else await symlink('/dev/full', path)
    }
    await mkdir(folder())
    await make(join(folder(), 'f.tar'))
    await expect(fill('f.tar')).rejects.toMatchObject({
      kind: 'hostUnfit',
      code: 'mirror-entry',
      message: expect.stringContaining('"f.tar"') as string,
    })
    await make(join(folder(), 'SHA256SUMS'))
    await expect(fill('g.tar')).rejects.toMatchObject({
      code: 'mirror-entry',
      message: expect.stringContaining('"SHA256SUMS"') as string,
    })
    expect((await readdir(folder())).sort()).toEqual(['SHA256SUMS', 'f.tar'])
  },
)

test('links in the folder are read, and never written through', async () => {
  const victim = await rig().write('victim', 'precious')
  const same = await rig().write('same', CONTENT)
  await mkdir(folder())
  for (const name of ['b.tar', '.SHA256SUMS.part', `.${DIGEST}.part`])
    await symlink(victim, join(folder(), name))
  await symlink(same, join(folder(), 'a.tar'))
  await symlink(join(rig().folder, 'nowhere'), join(folder(), 'c.tar'))
  // By the link there; its own name is taken; so is that of a link to nowhere.
  expect(await fill('a.tar')).toEqual({ files: 1, copied: 0 })
  expect(await fill('b.tar')).toEqual({ files: 1, copied: 1 })
  expect(await fill('c.tar')).toEqual({ files: 1, copied: 0 })
  expect(await readFile(victim, 'utf8')).toBe('precious')
  expect(await readdir(rig().folder)).not.toContain('nowhere')
  expect(checked().split('\n')).toEqual(['a.tar: OK', `${DIGEST}: OK`, ''])
  // A link that the list means to be the file gives way to it.
  await rig().write('mirror/SHA256SUMS', `${DIGEST}  b.tar\n`)
  expect(await fill('b.tar')).toEqual({ files: 1, copied: 1 })
  expect(await readFile(victim, 'utf8')).toBe('precious')
  expect(checked()).toBe('b.tar: OK\n')
})

test('a list that is a link, or of gigabytes, is not touched; one of odd bytes only grows', async () => {
  const odd = Buffer.from('\xff\xfe no list', 'latin1')
  const list = await rig().write('mirror/SHA256SUMS', odd)
  await fill('f.tar')
  expect(await readFile(list)).toEqual(Buffer.concat([odd, Buffer.from(`\n${DIGEST}  f.tar\n`)]))
  await truncate(list, 2 ** 36)
  await expect(fill('g.tar')).rejects.toMatchObject({ code: 'mirror-entry' })
})
