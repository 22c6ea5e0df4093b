import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { checkMirror } from '../../../src/fetch/mirror/check.ts'
import { pruneMirror, type Pruned } from '../../../src/fetch/mirror/prune.ts'
import { digestsIn, makeMirror, sumsOf } from '../../support/mirrors.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const FILES = { 'a.tar': 'first', 'b.tar': 'second', 'c.tar': 'third' }

function prune(
  mirror: string,
  keep: readonly string[],
  { remove = true, signal = new AbortController().signal } = {},
): Promise<Pruned> {
  const digests = new Set<Digest>(keep.map((content) => digestOf(content)))
  return pruneMirror(mirror, digests, { remove, signal })
}

test('what is not named goes, with its line; what is named stays', async () => {
  const mirror = await makeMirror(FILES)
  expect(await prune(mirror, ['second', 'of no file'])).toEqual({
    unnamed: [
      { name: 'a.tar', bytes: 5 },
      { name: 'c.tar', bytes: 5 },
    ],
    spared: [],
    kept: 1,
  })
  expect(await digestsIn(mirror)).toEqual(await digestsIn(await makeMirror({ 'b.tar': 'second' })))
})

test('unless it is asked, nothing is removed', async () => {
  const mirror = await makeMirror(FILES)
  const before = await digestsIn(mirror)
  expect((await prune(mirror, [], { remove: false })).unnamed.length).toBe(3)
  expect(await digestsIn(mirror)).toEqual(before)
})

test('a wrong list removes no source that is named, nor what is no file or not listed', async () => {
  const mirror = await makeMirror({ ...FILES, 'folder.tar': 'x' })
  await rm(join(mirror, 'folder.tar'))
  await mkdir(join(mirror, 'folder.tar'))
  await writeFile(join(mirror, 'own'), 'not listed')
  // The list says that the bytes are others.
  await writeFile(join(mirror, 'a.tar'), 'wanted')
  await rm(join(mirror, 'c.tar'))
  const { unnamed, spared } = await prune(mirror, ['wanted'])
  expect(unnamed).toEqual([
    { name: 'b.tar', bytes: 6 },
    { name: 'c.tar', bytes: 0 },
  ])
  expect(spared.map(({ name }) => name)).toEqual(['a.tar', 'folder.tar'])
  expect((await readdir(mirror)).sort()).toEqual(['SHA256SUMS', 'a.tar', 'folder.tar', 'own'])
  expect(await readFile(join(mirror, 'SHA256SUMS'), 'utf8')).toBe(
    sumsOf({ 'a.tar': 'first', 'folder.tar': 'x' }),
  )
})

test('unsafe lines stay, and lead to nothing outside', async () => {
  const parent = await temporaryFolder()
  await writeFile(join(parent, 'victim'), 'precious')
  await mkdir(join(parent, 'mirror'))
  const mirror = await makeMirror(FILES, join(parent, 'mirror'))
  const unsafe = `${digestOf('precious')}  ../victim\n`
  await writeFile(join(mirror, 'SHA256SUMS'), `${unsafe}${sumsOf(FILES)}`)
  expect((await prune(mirror, [])).unnamed.length).toBe(3)
  expect(await readFile(join(parent, 'victim'), 'utf8')).toBe('precious')
  expect(await readFile(join(mirror, 'SHA256SUMS'), 'utf8')).toBe(unsafe)
})

test('for all mirrors and sets: every file whose bytes are named survives, and the list is true', async () => {
  const contents = fc.array(fc.constantFrom('p', 'q', 'r', 's', 't'), {
    minLength: 1,
    maxLength: 6,
  })
  const named = fc.subarray(['p', 'q', 'r', 's', 't'])
  await fc.assert(
    fc.asyncProperty(contents, contents, named, async (listed, there, keep) => {
      const files = listed.map((content, at) => [`f${at}`, content] as const)
      const mirror = await makeMirror(Object.fromEntries(files))
      // Some of them have other bytes than the list says.
      const actual = there.slice(0, files.length)
      for (const [at, content] of actual.entries()) await writeFile(join(mirror, `f${at}`), content)
      const before = await digestsIn(mirror)
      await prune(mirror, keep)
      const after = await digestsIn(mirror)
      const wanted = new Set<string>(keep.map((content) => digestOf(content)))
      for (const [name, digest] of Object.entries(before))
        if (wanted.has(digest)) expect(after[name]).toBe(digest)
      const { faults } = await checkMirror(mirror, new AbortController().signal)
      expect(faults.filter(({ kind }) => kind !== 'bad')).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('no mirror is none to prune, and an interruption removes nothing', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'letter'), 'dear')
  await expect(prune(folder, [])).rejects.toMatchObject({ code: 'no-mirror-list' })
  const mirror = await makeMirror(FILES)
  const before = await digestsIn(mirror)
  const signal = AbortSignal.abort()
  await expect(prune(mirror, [], { signal })).rejects.toMatchObject({ name: 'AbortError' })
  expect(await digestsIn(mirror)).toEqual(before)
})
