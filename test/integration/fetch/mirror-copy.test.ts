import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { checkMirror } from '../../../src/fetch/mirror/check.ts'
import { copyMirror, type MirrorCopy } from '../../../src/fetch/mirror/copy.ts'
import { digestsIn, makeMirror } from '../../support/mirrors.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

const FILES = { 'a.tar': 'first', 'b.tar': 'second', 'c.tar': Buffer.alloc(3 << 20, 'third') }

function copy(from: string, to: string): Promise<MirrorCopy> {
  return copyMirror(from, to, new AbortController().signal)
}

async function faultsOf(mirror: string): Promise<string[]> {
  const { faults } = await checkMirror(mirror, new AbortController().signal)
  return faults.map(({ kind, path }) => `${kind} ${path}`)
}

test('a copy is the same, and a second run finds nothing to do', async () => {
  const from = await makeMirror(FILES)
  const to = join(await temporaryFolder(), 'new', 'mirror')
  expect(await copy(from, to)).toEqual({ files: 3, copied: 3, faults: [], missing: [] })
  expect(await digestsIn(to)).toEqual(await digestsIn(from))
  expect(await copy(from, to)).toMatchObject({ copied: 0 })
})

test('only what is missing or damaged is copied; what the other mirror has of its own stays', async () => {
  const from = await makeMirror(FILES)
  const to = await makeMirror({ ...FILES, 'own.tar': 'own' })
  await writeFile(join(to, 'a.tar'), 'FIRST')
  await rm(join(to, 'b.tar'))
  expect(await copy(from, to)).toMatchObject({ files: 3, copied: 2, faults: [] })
  expect(await faultsOf(to)).toEqual([])
  expect(await readFile(join(to, 'own.tar'), 'utf8')).toBe('own')
})

test('a flipped bit in either mirror is mended from the other', async () => {
  const one = await makeMirror(FILES)
  const other = await temporaryFolder()
  await copy(one, other)
  await writeFile(join(one, 'a.tar'), 'fIrst')
  await writeFile(join(other, 'b.tar'), 'sEcond')
  // A file that the copy has is not read in the other mirror.
  expect(await copy(one, other)).toMatchObject({ copied: 1, faults: [] })
  expect(await copy(other, one)).toMatchObject({ copied: 1, faults: [] })
  expect([...(await faultsOf(one)), ...(await faultsOf(other))]).toEqual([])
})

test('damaged files are named and not copied; the others are', async () => {
  const outside = await temporaryFolder()
  await writeFile(join(outside, 'secret'), 'link')
  const from = await makeMirror({
    ...FILES,
    'fifo.tar': 'fifo',
    'link.tar': 'link',
    'no.tar': 'no',
  })
  await writeFile(join(from, 'c.tar'), 'THIRD')
  for (const name of ['fifo.tar', 'link.tar', 'no.tar']) await rm(join(from, name))
  makeFifo(join(from, 'fifo.tar'))
  await symlink(join(outside, 'secret'), join(from, 'link.tar'))
  const to = await temporaryFolder()
  const { faults, missing, ...counts } = await copy(from, to)
  expect(counts).toEqual({ files: 6, copied: 2 })
  expect(faults.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual([
    'bad c.tar',
    'missing no.tar',
    'not-a-file fifo.tar',
    'not-a-file link.tar',
  ])
  expect([...missing].sort()).toEqual(['c.tar', 'fifo.tar', 'link.tar', 'no.tar'])
  expect((await readdir(to)).sort()).toEqual(['SHA256SUMS', 'a.tar', 'b.tar'])
  expect(await faultsOf(to)).toEqual([])
})

test('a damaged file of the copy stays where the first mirror has none better', async () => {
  const from = await makeMirror(FILES)
  const to = await makeMirror(FILES)
  await writeFile(join(from, 'a.tar'), 'one')
  await writeFile(join(to, 'a.tar'), 'two')
  expect(await copy(from, to)).toMatchObject({ copied: 0, missing: ['a.tar'] })
  expect(await readFile(join(to, 'a.tar'), 'utf8')).toBe('two')
})

test('the same bytes under two names stand in for each other', async () => {
  const from = await makeMirror({ one: 'same', two: 'same' })
  await rm(join(from, 'one'))
  const to = await temporaryFolder()
  const { copied, missing, faults } = await copy(from, to)
  expect({ copied, missing }).toEqual({ copied: 2, missing: [] })
  expect(faults).toEqual([{ kind: 'missing', path: 'one' }])
  // Also those that only the copy has by that name.
  const named = await makeMirror({ three: 'same' })
  await writeFile(join(named, 'three'), 'SAME')
  await copy(to, named)
  expect(await readFile(join(named, 'three'), 'utf8')).toBe('same')
})

test('other files of the same name both stay: the new one by its digest', async () => {
  const from = await makeMirror({ 'a.tar': 'new' })
  const to = await makeMirror({ 'a.tar': 'old' })
  await copy(from, to)
  expect(await readFile(join(to, 'a.tar'), 'utf8')).toBe('old')
  expect(await readFile(join(to, digestOf('new')), 'utf8')).toBe('new')
  expect(await faultsOf(to)).toEqual([])
})

test('unsafe lines of the first list do not get into the second, nor do files outside', async () => {
  const parent = await temporaryFolder()
  await writeFile(join(parent, 'victim'), 'precious')
  await mkdir(join(parent, 'from'))
  const from = await makeMirror(FILES, join(parent, 'from'))
  const list = await readFile(join(from, 'SHA256SUMS'))
  await writeFile(
    join(from, 'SHA256SUMS'),
    `${digestOf('precious')}  ../victim\n${list.toString()}${digestOf('x')}  ../new\n`,
  )
  const to = join(parent, 'deep', 'to')
  const { faults } = await copy(from, to)
  expect(faults.map(({ kind }) => kind)).toEqual(['unsafe', 'unsafe'])
  expect((await readdir(to)).sort()).toEqual(['SHA256SUMS', 'a.tar', 'b.tar', 'c.tar'])
  expect((await readdir(parent)).sort()).toEqual(['deep', 'from', 'victim'])
  expect(await readFile(join(parent, 'victim'), 'utf8')).toBe('precious')
})

test('a folder with other things is refused, and no mirror is none', async () => {
  const from = await makeMirror(FILES)
  const to = await temporaryFolder()
  await writeFile(join(to, 'letter'), 'dear')
  await expect(copy(from, to)).rejects.toMatchObject({ code: 'mirror-there' })
  await expect(copy(join(to, 'nowhere'), to)).rejects.toMatchObject({ code: 'no-mirror-list' })
  expect(await readdir(to)).toEqual(['letter'])
})

test('two runs at once: the second is refused, and the first is not disturbed', async () => {
  const from = await makeMirror({ ...FILES, 'd.tar': Buffer.alloc(40 << 20, 'fourth') })
  const to = await temporaryFolder()
  const results = await Promise.allSettled([copy(from, to), copy(from, to)])
  const refused = results.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  )
  expect(refused).toEqual([expect.objectContaining({ code: 'mirror-busy' })])
  expect(await faultsOf(to)).toEqual([])
})

test('a mirror copied onto itself is as it was', async () => {
  const mirror = await makeMirror(FILES)
  const before = await temporaryFolder()
  await cp(mirror, before, { recursive: true })
  expect(await copy(mirror, mirror)).toMatchObject({ copied: 0, faults: [] })
  expect(await digestsIn(mirror)).toEqual(await digestsIn(before))
})
