import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Faults } from '../../../src/metadata/faults.ts'
import { checkPatch } from '../../../src/metadata/patch-file.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { describeTree, writeTreeAt, type Tree } from '../../support/trees.ts'

/** What the sandbox's patch does with a tree: its status, and the tree. */
async function applied(folder: string, tree: Tree, patch: string): Promise<{ status: number; tree: string[] }> {
  const work = join(folder, 'work')
  await rm(work, { recursive: true, force: true })
  await writeTreeAt(work, tree)
  await writeFile(join(folder, 'x.patch'), patch)
  const { exitCode } = await execa('busybox', ['patch', '-p1', '-i', '../x.patch'], { cwd: work, reject: false })
  return { status: exitCode ?? -1, tree: await describeTree(work) }
}

function codesOf(patch: string): string[] {
  const faults = new Faults()
  checkPatch('x.patch', patch, faults)
  return faults.sorted().map(({ code }) => code)
}

/** A file before and after a change: its lines are all different, since patch looks for a hunk by its lines alone. */
interface Change {
  readonly before: readonly string[] | undefined
  readonly after: readonly string[]
}

// What lines of patches begin with, at the beginning of lines of files.
const starts = fc.constantFrom(
  '',
  '-- ',
  '++ ',
  '-',
  '+',
  ' ',
  '\\ ',
  '@@ -1 +1 @@ ',
  'diff --git ',
  '--- a/',
  '\t',
  '*** ',
)
const ends = fc.constantFrom('', '', ' ', '\r')
const words = fc.record({ start: starts, word: fc.constantFrom('int main(void)', '{', 'é', ''), end: ends })
const lines = fc.array(words, { minLength: 1, maxLength: 40 })
const change = fc
  .record({
    kept: lines,
    edits: fc.array(fc.record({ at: fc.nat(60), kind: fc.constantFrom('add', 'remove', 'change') })),
  })
  .map(({ kept, edits }): Change => {
    const text = ({ start, word, end }: { start: string; word: string; end: string }, name: string): string =>
      `${start}${name} ${word}${end}`
    const before = kept.map((line, at) => text(line, `line ${at}`))
    const after = [...before]
    for (const [index, { at, kind }] of edits.entries()) {
      const line = text(kept[at % kept.length]!, `edit ${index}`)
      if (kind === 'add') after.splice(at % (after.length + 1), 0, line)
      else if (kind === 'change') after[at % after.length] = line
      else if (after.length > 1) after.splice(at % after.length, 1)
    }
    return { before, after }
  })
const made = lines.map((all): Change => ({
  before: undefined,
  after: all.map(({ start, word, end }, at) => `${start}new ${at} ${word}${end}`),
}))
// diff(1) puts names that hold blanks in quotes, which the sandbox's patch does not understand.
const NAMES = ['a.c', 'deep/b+.h', 'deep/er/c-1', '.d']
const changes = fc
  .array(fc.oneof({ weight: 3, arbitrary: change }, { weight: 1, arbitrary: made }), { minLength: 1, maxLength: 4 })
  .map((all) => new Map(all.map((one, at) => [NAMES[at]!, one])))

const textOf = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')

const MAKERS: Readonly<Record<string, readonly string[]>> = {
  'diff -u': ['diff', '-Naur', 'a', 'b'],
  'diff -u of one line': ['diff', '-Nar', '-U1', 'a', 'b'],
  'git diff': [
    'git',
    '-c',
    'core.quotePath=true',
    'diff',
    '--no-index',
    '--no-prefix',
    '--no-color',
    '--no-ext-diff',
    'a',
    'b',
  ],
}

describe('a patch that is accepted', () => {
  test.each(Object.entries(MAKERS))('does by busybox what it says: %s', async (_, [program, ...args]) => {
    const folder = await temporaryFolder()
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (all, withWords) => {
        const before: Record<string, string> = { other: 'untouched\n' }
        const after: Record<string, string> = { other: 'untouched\n' }
        for (const [path, { before: old, after: next }] of all) {
          if (old !== undefined) before[path] = textOf(old)
          after[path] = textOf(next)
        }
        for (const [side, tree] of [
          ['a', before],
          ['b', after],
        ] as const) {
          await rm(join(folder, side), { recursive: true, force: true })
          await writeTreeAt(join(folder, side), tree)
        }
        const { stdout: made } = await execa(program!, args, { cwd: folder, reject: false, stripFinalNewline: false })
        if (made === '') return
        const patch = withWords ? `Why.\n - one\n---\n f | 2 +-\n\n${made}-- \n2.39.2\n\n` : made
        expect(codesOf(patch)).toEqual([])
        const result = await applied(folder, before, patch)
        expect(result).toEqual({ status: 0, tree: await describeTree(join(folder, 'b')) })
      }),
      { numRuns: 15 },
    )
  })
})

const HEAD = '--- a/f\n+++ b/f\n'
const GIT = 'diff --git a/f b/f\n'
const NEW = '--- /dev/null\n+++ b/g\n@@ -0,0 +1 @@\n+x\n'

/** Patches for a file of the lines one to five, which busybox ends with status 0; and what they should make of it. */
const PASSED_OVER: Readonly<Record<string, [code: string, patch: string, wanted: Tree]>> = {
  'cut off': ['patch-cut-off', `${HEAD}@@ -1,3 +1,3 @@\n one\n-two\n+2\n`, { f: 'one\n2\nthree\nfour\nfive\n' }],
  'with a line too many': [
    'patch-hunk-count',
    `${HEAD}@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n-four\n`,
    { f: 'one\n2\nthree\nfive\n' },
  ],
  'without context, lines taken out': [
    'patch-no-context',
    `${HEAD}@@ -2,2 +1,0 @@\n-two\n-three\n`,
    { f: 'one\nfour\nfive\n' },
  ],
  'without context, a line added': [
    'patch-no-context',
    `${HEAD}@@ -1,0 +2 @@\n+1.5\n`,
    { f: 'one\n1.5\ntwo\nthree\nfour\nfive\n' },
  ],
  'without newline': [
    'patch-no-newline',
    `${HEAD}@@ -4,2 +4,2 @@\n four\n-five\n+5\n\\ No newline at end of file\n`,
    { f: 'one\ntwo\nthree\nfour\n5' },
  ],
  'that deletes': [
    'patch-deletes-file',
    '--- a/f\n+++ /dev/null\n@@ -1,5 +0,0 @@\n-one\n-two\n-three\n-four\n-five\n',
    {},
  ],
  'that deletes, with times': [
    'patch-timestamp',
    '--- a/f\t2024-01-01\n+++ b/f\t1970-01-01 00:00:00\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n',
    { f: 'one\n2\nthree\nfour\nfive\n' },
  ],
  'that renames': [
    'patch-rename',
    'diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n',
    { g: 'one\ntwo\nthree\nfour\nfive\n' },
  ],
  'that changes a mode': [
    'patch-mode',
    `${GIT}old mode 100644\nnew mode 100755\n`,
    { f: { mode: 0o755, data: 'one\ntwo\nthree\nfour\nfive\n' } },
  ],
  'that makes a program': [
    'patch-new-mode',
    `diff --git a/g b/g\nnew file mode 100755\n${NEW}`,
    { f: 'one\ntwo\nthree\nfour\nfive\n', g: { mode: 0o755, data: 'x\n' } },
  ],
  'that makes a link': [
    'patch-link',
    `diff --git a/g b/g\nnew file mode 120000\n${NEW}`,
    { f: 'one\ntwo\nthree\nfour\nfive\n', g: { link: 'x' } },
  ],
  'that makes an empty file': [
    'patch-empty-file',
    'diff --git a/g b/g\nnew file mode 100644\nindex 0000000..e69de29\n',
    { f: 'one\ntwo\nthree\nfour\nfive\n', g: '' },
  ],
  'with a quoted name': [
    'patch-name',
    NEW.replace('b/g', '"b/\\303\\251"'),
    { f: 'one\ntwo\nthree\nfour\nfive\n', é: 'x\n' },
  ],
  'that is a page': ['patch-no-hunk', '<!DOCTYPE html>\n', { f: 'one\n2\nthree\nfour\nfive\n' }],
}

describe('a patch that is refused', () => {
  test.each(Object.entries(PASSED_OVER))(
    'is one that busybox would pass over: %s',
    async (_, [code, patch, wanted]) => {
      const folder = await temporaryFolder()
      expect(codesOf(patch)[0]).toBe(code)
      await mkdir(join(folder, 'wanted'))
      await writeTreeAt(join(folder, 'wanted'), wanted)
      const result = await applied(folder, { f: 'one\ntwo\nthree\nfour\nfive\n' }, patch)
      expect(result.status).toBe(0)
      expect(result.tree).not.toEqual(await describeTree(join(folder, 'wanted')))
    },
  )
})
