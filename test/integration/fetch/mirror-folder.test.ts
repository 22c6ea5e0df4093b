import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, rm, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { fillMirror } from '../../../src/fetch/mirror/fill.ts'
import { sizeInMirrors } from '../../../src/fetch/mirror/find.ts'
import type { SourceFinder } from '../../../src/fetch/find-source.ts'
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
  return await fillWith(sources, () => Promise.resolve(path))
}

async function fillWith(
  sources: readonly FileSource[],
  find: SourceFinder,
): Promise<{ files: number; copied: number }> {
  const { signal } = new AbortController()
  const request = { folder: folder(), sources, find, before: 'anything', signal } as const
  const { files, copied, failures } = await fillMirror(request)
  expect(failures).toEqual([])
  return { files, copied }
}

test('the size of a source is found in the first folder that has a file of it, by name', async () => {
  await fill('a.tar')
  const empty = join(rig().folder, 'empty')
  await mkdir(empty)
  const mirrors = ['https://mirror.example', join(rig().folder, 'missing'), empty, folder()]
  const sizeOf = (name: string) => sizeInMirrors(mirrors, source([], { name }))
  expect(await sizeOf('a.tar')).toBe(CONTENT.length)
  expect(await sizeInMirrors([`file:${folder()}`], source([], { name: 'a.tar' }))).toBe(
    CONTENT.length,
  )
  const other = source([], { name: 'a.tar', sha256: digestOf('other') })
  expect(await sizeInMirrors(mirrors, other)).toBe(0)
  await mkdir(join(empty, 'a.tar'))
  expect(await sizeOf('a.tar')).toBe(CONTENT.length)
})

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
  const filled = await fillWith(sources, ({ sha256 }) =>
    Promise.resolve(sha256 === DIGEST ? right : wrong),
  )
  expect(filled).toEqual({ files: 3, copied: 3 })
  expect(checked().split('\n').sort()).toEqual(
    ['', `${DIGEST}: OK`, `${digestOf(WRONG)}: OK`, 'a.tar: OK'].sort(),
  )
})

const ODD: readonly (readonly [string, (path: string) => unknown])[] = [
  ['fifo', (path) => execFileSync('mkfifo', [path])],
  ['folder', (path) => mkdir(path)],
  ['link', (path) => symlink('/dev/full', path)],
]

test.each(ODD.slice(0, 2))(
  'a %s by the name of a source: named, and left alone',
  async (_, make) => {
    await mkdir(folder())
    await make(join(folder(), 'f.tar'))
    await expect(fill('f.tar')).rejects.toMatchObject({
      kind: 'hostUnfit',
      code: 'mirror-entry',
      message: expect.stringContaining('"f.tar"') as string,
    })
    expect((await readdir(folder())).sort()).toEqual(['SHA256SUMS', 'f.tar'])
    expect((await lstat(join(folder(), 'f.tar'))).isFile()).toBe(false)
  },
)

test.each(ODD)('a %s in place of the list: named, and left alone', async (_, make) => {
  await mkdir(folder())
  await make(join(folder(), 'SHA256SUMS'))
  await expect(fill('g.tar')).rejects.toMatchObject({
    code: 'mirror-entry',
    message: expect.stringContaining('"SHA256SUMS"') as string,
  })
  expect(await readdir(folder())).toEqual(['SHA256SUMS'])
  expect((await lstat(join(folder(), 'SHA256SUMS'))).isFile()).toBe(false)
})

test('nothing is read or written through links in the folder', async () => {
  const victim = await rig().write('victim', 'precious')
  const same = await rig().write('same', CONTENT)
  await mkdir(folder())
  for (const name of ['b.tar', '.SHA256SUMS.part', `.${DIGEST}.part`])
    await symlink(victim, join(folder(), name))
  await symlink(same, join(folder(), 'a.tar'))
  await symlink(join(rig().folder, 'nowhere'), join(folder(), 'c.tar'))
  // Their names are taken: one copy serves all three.
  expect(await fill('a.tar')).toEqual({ files: 1, copied: 1 })
  expect(await fill('b.tar', 'c.tar')).toEqual({ files: 2, copied: 0 })
  expect(await readFile(victim, 'utf8')).toBe('precious')
  expect(await readdir(rig().folder)).not.toContain('nowhere')
  expect(checked()).toBe(`${DIGEST}: OK\n`)
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

test('a source that cannot be found is missing; the others are there', async () => {
  const right = await rig().write('right', CONTENT)
  const other = { ...source([], { name: 'other.tar' }), sha256: digestOf(WRONG) }
  const { signal } = new AbortController()
  const failure = new Error('nowhere')
  const filled = await fillMirror({
    folder: folder(),
    sources: [other, source([], { name: 'a.tar' })],
    find: ({ sha256 }) => (sha256 === DIGEST ? Promise.resolve(right) : Promise.reject(failure)),
    before: 'mirror-or-empty',
    signal,
  })
  expect(filled).toEqual({ files: 2, copied: 1, missing: ['other.tar'], failures: [failure] })
  expect(checked()).toBe('a.tar: OK\n')
})

test('what is right there already is not looked for; a damaged file is made again', async () => {
  await fill('a.tar', 'b.tar')
  await rig().write('mirror/b.tar', 'damaged')
  const asked: string[] = []
  const path = await rig().write('blob', CONTENT)
  const names = ['a.tar', 'b.tar'].map((name) => source([], { name }))
  expect(
    await fillWith(names, ({ name }) => {
      asked.push(name)
      return Promise.resolve(path)
    }),
  ).toEqual({ files: 2, copied: 1 })
  expect(checked()).toBe('a.tar: OK\nb.tar: OK\n')
  const nothing = (): Promise<string> => Promise.reject(new Error('asked in vain'))
  expect(await fillWith(names, nothing)).toEqual({ files: 2, copied: 0 })
})

test('what a killed run left is cleared: files without a line are listed, parts are removed', async () => {
  await rig().write('mirror/SHA256SUMS', '')
  await rig().write('mirror/a.tar', CONTENT)
  await rig().write(`mirror/.${DIGEST}.part`, 'half')
  await rig().write('mirror/.SHA256SUMS.part', 'half')
  expect(await fill('a.tar')).toEqual({ files: 1, copied: 0 })
  expect(checked()).toBe('a.tar: OK\n')
  expect((await readdir(folder())).sort()).toEqual(['SHA256SUMS', 'a.tar'])
})

test('a folder that holds something else becomes no mirror, nor does one without a list', async () => {
  await rig().write('mirror/letter', 'dear')
  const path = await rig().write('blob', CONTENT)
  const { signal } = new AbortController()
  const request = { folder: folder(), sources: [source([])], find: () => Promise.resolve(path) }
  const fillAs = (before: 'mirror' | 'mirror-or-empty') =>
    fillMirror({ ...request, before, signal })
  await expect(fillAs('mirror-or-empty')).rejects.toMatchObject({ code: 'mirror-there' })
  await expect(fillAs('mirror')).rejects.toMatchObject({ code: 'no-mirror-list' })
  expect(await readdir(folder())).toEqual(['letter'])
})

test('a source that the store has damaged meanwhile does not get in', async () => {
  const path = await rig().write('blob', WRONG)
  const { signal } = new AbortController()
  const request = { folder: folder(), sources: [source([])], find: () => Promise.resolve(path) }
  await expect(fillMirror({ ...request, before: 'anything', signal })).rejects.toMatchObject({
    code: 'blob-damaged',
  })
  expect(await readdir(folder())).toEqual(['SHA256SUMS'])
})

test('a disk that is unplugged meanwhile is named', async () => {
  const path = await rig().write('blob', CONTENT)
  const find = async (): Promise<string> => {
    await rm(folder(), { recursive: true })
    return path
  }
  const { signal } = new AbortController()
  const request = { folder: folder(), sources: [source([])], find, signal } as const
  await expect(fillMirror({ ...request, before: 'mirror-or-empty' })).rejects.toMatchObject({
    code: 'host-refuses',
    message: expect.stringContaining(`"${folder()}": the folder is gone`) as string,
  })
})
