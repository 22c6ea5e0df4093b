import { chmod, lstat, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readNote } from '../../../src/base/notes.ts'
import { digestOf } from '../../../src/base/digest.ts'
import { loadMetadata } from '../../../src/metadata/load.ts'
import { loadNoted } from '../../../src/metadata/noted.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { writeTreeAt } from '../../support/trees.ts'

const RECIPE = `name: tool
version: '1'
summary: A tool
license: MIT
sources: [{ tree: [program, Makefile], name: tool }]
style: plain
`

/** A checkout with all kinds of files that metadata come from; resolves to its folder. */
async function checkoutOfTool(): Promise<string> {
  const folder = await temporaryFolder()
  await writeTreeAt(folder, {
    'earlier/layers/layers.yaml': 'machine: pc\nlayers: [first]\n',
    'earlier/layers/first/lib/recipe.yaml': RECIPE.replace(/name: tool\n/, 'name: lib\n').replace(
      /sources.*\n/,
      '',
    ),
    'earlier/layers/styles/plain.yaml': "name: plain\nsummary: One\nsteps: { build: ':' }\n",
    'earlier/layers/machines/pc.yaml': 'arch: x86_64\n',
    'layers/layers.yaml': 'include: ../earlier/layers/layers.yaml\nlayers: [second]\n',
    'layers/second/tool/recipe.yaml': RECIPE,
    'layers/second/tool/files/text': 'a text\n',
    'layers/second/tool/patches/one.patch': '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n',
    'program/main.c': 'int main;\n',
    Makefile: 'all:\n',
  })
  return folder
}

/** Writes other bytes of equal number, and gives the file the time that it had. */
function replace(path: string, from: string, to: string) {
  return async (folder: string): Promise<void> => {
    const file = join(folder, path)
    const { atime, mtime } = await lstat(file)
    await writeFile(file, (await readFile(file, 'utf8')).replace(from, to))
    await utimes(file, atime, mtime)
  }
}

const CHANGES: readonly (readonly [string, (folder: string) => Promise<void>])[] = [
  ['a recipe', replace('layers/second/tool/recipe.yaml', 'A tool', 'A tale')],
  ['a recipe of an included file', replace('earlier/layers/first/lib/recipe.yaml', '1', '2')],
  ['a style', replace('earlier/layers/styles/plain.yaml', "':'", "' '")],
  ['a machine', replace('earlier/layers/machines/pc.yaml', 'x86_64', 'x86_32')],
  ['a patch', replace('layers/second/tool/patches/one.patch', '+b', '+c')],
  ['a file', replace('layers/second/tool/files/text', 'text', 'test')],
  ['a file of a source', replace('program/main.c', 'main', 'mine')],
  ['a file that is a source', replace('Makefile', 'all', 'any')],
  ['a mode', (folder) => chmod(join(folder, 'program/main.c'), 0o755)],
  ['a new file', (folder) => writeFile(join(folder, 'layers/second/tool/files/new'), '')],
  ['a new file of a source', (folder) => writeFile(join(folder, 'program/new.c'), '')],
  ['a file less', (folder) => rm(join(folder, 'layers/second/tool/files/text'))],
  [
    'a new recipe',
    (folder) =>
      writeTreeAt(folder, {
        'layers/second/new/recipe.yaml': RECIPE.replace(/name: tool\n/, 'name: new\n'),
      }),
  ],
  [
    'a first machine of its own',
    (folder) => writeTreeAt(folder, { 'layers/machines/other.yaml': 'arch: arm\n' }),
  ],
]

/** Loads as often as it takes until a note is made: files that are new are not trusted at once. */
async function loadUntilNoted(file: string, notes: string): Promise<void> {
  while (readNote(notes, 'metadata 1') === undefined) {
    await setTimeout(300)
    await loadNoted(file, notes)
  }
}

/** A checkout whose metadata have been noted. */
async function notedCheckout(): Promise<{ folder: string; notes: string; file: string }> {
  const folder = await checkoutOfTool()
  const notes = join(folder, 'notes')
  const file = join(folder, 'layers/layers.yaml')
  await loadUntilNoted(file, notes)
  return { folder, notes, file }
}

test('metadata are taken from their note, until a file that they come from changes', async () => {
  const cases = await Promise.all(
    CHANGES.map(async ([name, change]) => {
      const folder = await checkoutOfTool()
      return { name, change, folder, notes: join(folder, 'notes') }
    }),
  )
  await Promise.all(
    cases.map(({ folder, notes }) => loadUntilNoted(join(folder, 'layers/layers.yaml'), notes)),
  )
  for (const { name, change, folder, notes } of cases) {
    const file = join(folder, 'layers/layers.yaml')
    const before = await loadMetadata(file)
    expect(await loadNoted(file, notes), name).toEqual(before)
    await change(folder)
    expect(await loadNoted(file, notes), name).toEqual(await loadMetadata(file))
    if (!name.startsWith('a first')) expect(await loadNoted(file, notes), name).not.toEqual(before)
  }
}, 60_000)

test('a fault that came in is found, and metadata of another file are others', async () => {
  const { folder, notes, file } = await notedCheckout()
  const earlier = join(folder, 'earlier/layers/layers.yaml')
  expect((await loadNoted(earlier, notes)).layers).toEqual(['first'])
  await rm(join(folder, 'layers/second/tool/files/text'))
  await symlink('main.c', join(folder, 'program/link.c'))
  await expect(loadNoted(file, notes)).rejects.toMatchObject({ code: 'symlink' })
}, 20_000)

test('nothing is parsed for what is noted, and no note counts that was made up', async () => {
  const { notes, file } = await notedCheckout()
  const summaryOf = async () => [...(await loadNoted(file, notes)).recipes.values()][1]?.summary
  const text = (readNote(notes, 'metadata 1') ?? '').replaceAll('"A tool"', '"A note"')
  await writeFile(notes, `metadata 1 ${digestOf(text)}\n${text}`)
  expect(await summaryOf()).toBe('A note')
  await writeFile(notes, `metadata 1 ${digestOf('')}\n${text}`)
  expect(await summaryOf()).toBe('A tool')
}, 20_000)

test("the project's own layers come out of a note as they went in", async () => {
  const notes = join(await temporaryFolder(), 'notes')
  const file = join(CHECKOUT, 'layers/layers.yaml')
  await loadUntilNoted(file, notes)
  expect(await loadNoted(file, notes)).toEqual(await loadMetadata(file))
}, 30_000)
