import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PATCH_OPTIONS } from '../../../src/build/steps.ts'
import { Faults } from '../../../src/metadata/yaml/faults.ts'
import { checkPatch } from '../../../src/metadata/format/patch-file.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { describeTree, writeTreeAt, type Tree } from '../../support/trees.ts'

/**
 * What GNU patch does with a tree as in the sandbox, where there is no terminal: its status, and
 * the tree.
 */
async function applied(
  folder: string,
  tree: Tree,
  patch: string,
): Promise<{ status: number; tree: string[] }> {
  const work = join(folder, 'work')
  await rm(work, { recursive: true, force: true })
  await writeTreeAt(work, tree)
  await writeFile(join(folder, 'x.patch'), patch)
  const { exitCode } = await execa('patch', [...PATCH_OPTIONS, '../x.patch'], {
    cwd: work,
    reject: false,
    stdin: 'ignore',
    detached: true,
    env: { LC_ALL: 'C', TZ: 'UTC' },
  })
  return { status: exitCode ?? -1, tree: await describeTree(work) }
}

function codesOf(patch: string): string[] {
  const faults = new Faults()
  checkPatch('x.patch', patch, faults)
  return faults.sorted().map(({ code }) => code)
}

type Entry = string | { readonly mode: number; readonly data: string } | { readonly link: string }

/** An entry of a tree before and after a change; undefined where it is not there. */
interface Change {
  readonly before: Entry | undefined
  readonly after: Entry | undefined
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
const words = fc.record({
  start: starts,
  word: fc.constantFrom('int main(void)', '{', 'é', ''),
  end: ends,
})
const lines = fc.array(words, { minLength: 1, maxLength: 40 })
const newline = fc.constantFrom('\n', '\n', '\n', '')
const edited = fc
  .record({
    kept: lines,
    edits: fc.array(
      fc.record({ at: fc.nat(60), kind: fc.constantFrom('add', 'remove', 'change') }),
    ),
    ends: fc.tuple(newline, newline),
  })
  .map(({ kept, edits, ends }): { readonly before: string; readonly after: string } => {
    const text = (
      { start, word, end }: { start: string; word: string; end: string },
      name: string,
    ): string => `${start}${name} ${word}${end}`
    // All lines of a file are different, since patch looks for a hunk by its lines alone.
    const before = kept.map((line, at) => text(line, `line ${at}`))
    const after = [...before]
    for (const [index, { at, kind }] of edits.entries()) {
      const line = text(kept[at % kept.length]!, `edit ${index}`)
      if (kind === 'add') after.splice(at % (after.length + 1), 0, line)
      else if (kind === 'change') after[at % after.length] = line
      else if (after.length > 1) after.splice(at % after.length, 1)
    }
    return { before: before.join('\n') + ends[0], after: after.join('\n') + ends[1] }
  })
/** What diff(1) can say. */
const textChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: edited },
  edited.map(({ after }) => ({ before: undefined, after })),
  edited.map(({ before }) => ({ before, after: undefined })),
  edited.map(({ before }) => ({ before, after: '' })),
)
const mode = fc.constantFrom(0o644, 0o755)
const target = fc.constantFrom('f', '../other', '/etc/passwd', 'a b', 'é')
const linked = fc.option(
  target.map((link) => ({ link })),
  { nil: undefined },
)
/** What git can say besides: modes, empty files and links, and one that becomes the other. */
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  textChange,
  fc
    .record({ texts: edited, from: mode, to: mode, same: fc.boolean() })
    .map(({ texts: { before, after }, from, to, same }) => ({
      before: { mode: from, data: before },
      after: { mode: to, data: same ? before : after },
    })),
  fc.record({ texts: edited, from: mode }).map(({ texts, from }) => ({
    before: undefined,
    after: { mode: from, data: texts.after },
  })),
  mode.map((from) => ({ before: undefined, after: { mode: from, data: '' } })),
  mode.map((from) => ({ before: { mode: from, data: '' }, after: undefined })),
  fc.record({ before: linked, after: linked }),
  fc
    .record({ texts: edited, link: target })
    .map(({ texts, link }) => ({ before: texts.before, after: { link } })),
  fc
    .record({ texts: edited, link: target })
    .map(({ texts, link }) => ({ before: { link }, after: texts.after })),
)
const NAMES = ['a.c', 'deep/b+.h', 'deep/er/c-1', '.d', 'a b', 'deep er/é "q"']
const changesOf = (one: fc.Arbitrary<Change>): fc.Arbitrary<Map<string, Change>> =>
  fc
    .record({ all: fc.array(one, { minLength: 1, maxLength: 4 }), first: fc.nat(NAMES.length - 1) })
    .map(
      ({ all, first }) =>
        new Map(all.map((change, at) => [NAMES[(first + at) % NAMES.length]!, change])),
    )

const GIT_DIFF = [
  'git',
  'diff',
  '--no-index',
  '--no-renames',
  '--no-color',
  '--no-ext-diff',
  '--no-prefix',
]

/**
 * Commands that write patches, what changes they can say, and what is refused of what they write.
 */
const MAKERS: Readonly<
  Record<string, [command: readonly string[], change: fc.Arbitrary<Change>, refused: string[]]>
> = {
  'diff -u': [['diff', '-Naur', 'a', 'b'], textChange, []],
  'diff -u of one line': [['diff', '-Nar', '-U1', 'a', 'b'], textChange, []],
  'diff -u without context': [['diff', '-Nar', '-U0', 'a', 'b'], textChange, ['patch-no-context']],
  // Names that hold blanks are without quotes, where patch finds them by a tab alone.
  'git diff': [[...GIT_DIFF, 'a', 'b'], anyChange, ['patch-name']],
  'git diff --full-index': [
    [...GIT_DIFF, '--full-index', '-U1', 'a', 'b'],
    anyChange,
    ['patch-name'],
  ],
  'git diff without context': [
    [...GIT_DIFF, '-U0', 'a', 'b'],
    anyChange,
    ['patch-name', 'patch-no-context'],
  ],
}

describe('a patch that is accepted', () => {
  test.each(Object.entries(MAKERS))(
    'does what it says: %s',
    async (_, [[program, ...args], change, refused]) => {
      const folder = await temporaryFolder()
      let done = 0
      await fc.assert(
        fc.asyncProperty(changesOf(change), fc.boolean(), async (all, withWords) => {
          const before: Record<string, Entry> = { other: 'untouched\n' }
          const after: Record<string, Entry> = { other: 'untouched\n' }
          for (const [path, { before: old, after: next }] of all) {
            if (old !== undefined) before[path] = old
            if (next !== undefined) after[path] = next
          }
          for (const [side, tree] of [
            ['a', before],
            ['b', after],
          ] as const) {
            await rm(join(folder, side), { recursive: true, force: true })
            await writeTreeAt(join(folder, side), tree)
          }
          const { stdout: made } = await execa(program!, args, {
            cwd: folder,
            reject: false,
            stripFinalNewline: false,
          })
          if (made === '') return
          const patch = withWords ? `Why.\n - one\n---\n f | 2 +-\n\n${made}-- \n2.39.2\n\n` : made
          const codes = codesOf(patch)
          expect(codes.filter((code) => !refused.includes(code))).toEqual([])
          if (codes.length > 0) return
          done++
          const result = await applied(folder, before, patch)
          expect(result).toEqual({ status: 0, tree: await describeTree(join(folder, 'b')) })
        }),
        { numRuns: 25 },
      )
      expect(done).toBeGreaterThan(0)
    },
  )
})

const HEAD = '--- a/f\n+++ b/f\n'
const GIT = 'diff --git a/f b/f\n'
const NEW = '--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n'

const LINES = 'one\ntwo\nthree\nfour\nfive\n'
const NO_NEWLINE = '\\ No newline at end of file\n'
const BODY = '@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n'
const MODES = 'old mode 100644\nnew mode 100755\n'
/** What all of these patches meet; `g` and `long` are there, `n` is not. */
const TREE: Tree = {
  f: LINES,
  g: 'other\n',
  long: LINES,
  program: { mode: 0o755, data: 'sh\n' },
  empty: '',
  link: { link: 'f' },
  'b b': 'x\n',
  'd/x': 'x\n',
}

async function describeAt(folder: string, tree: Tree): Promise<string[]> {
  await mkdir(join(folder, 'wanted'))
  await writeTreeAt(join(folder, 'wanted'), tree)
  return describeTree(join(folder, 'wanted'))
}

function without(tree: Tree, ...paths: string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.includes(path)))
}

const RENAME = 'similarity index 100%\nrename from long\nrename to g\n'
const COPY = 'similarity index 100%\ncopy from long\ncopy to g\n'
const CHANGED: Tree = { ...TREE, f: LINES.replace('two', '2') }

/** Patches that GNU patch ends with status 0; and what they should make of the tree. */
const PASSED_OVER: Readonly<Record<string, [code: string, patch: string, wanted: Tree]>> = {
  'that is empty': ['patch-empty', '', CHANGED],
  'with a line too many': [
    'patch-hunk-count',
    `${HEAD}${BODY}-four\n`,
    { ...TREE, f: 'one\n2\nthree\nfive\n' },
  ],
  'with a line that is a comment': [
    'patch-cut-off',
    `${HEAD}${BODY.replace('-two', '#two\n-two')}`,
    TREE,
  ],
  'that fills a file, where lines are': [
    'patch-no-context',
    `${HEAD}@@ -0,0 +1 @@\n+x\n`,
    { ...TREE, f: 'x\n' },
  ],
  'that adds a line, where no such line is': [
    'patch-no-context',
    `${HEAD}@@ -9,0 +10 @@\n+ten\n`,
    TREE,
  ],
  'that renames, where the new name is': [
    'patch-rename',
    `diff --git a/long b/g\n${RENAME}`,
    { ...without(TREE, 'long'), g: LINES },
  ],
  'that copies, where the new name is': [
    'patch-copy',
    `diff --git a/long b/g\n${COPY}`,
    { ...TREE, g: LINES },
  ],
  'of one name and another': [
    'patch-name',
    `--- a/f\n+++ b/long\n${BODY}`,
    { ...TREE, long: CHANGED['f'] },
  ],
  'of an absolute name': ['patch-name', `--- /dev/null\n+++ /n\n@@ -0,0 +1 @@\n+x\n`, TREE],
  'with a mode of another file': [
    'patch-name',
    `${GIT}${MODES}--- a/d/x\n+++ b/d/x\n@@ -1 +1 @@\n-x\n+y\n`,
    { ...TREE, f: { mode: 0o755, data: LINES }, 'd/x': 'y\n' },
  ],
  'with a mode twice': [
    'patch-mode',
    `diff --git a/n b/n\nnew file mode 100755\nindex 0..1 100755\n--- /dev/null\n+++ b/n\n` +
      `@@ -0,0 +1 @@\n+x\n`,
    { ...TREE, n: { mode: 0o755, data: 'x\n' } },
  ],
  'of another repository': [
    'patch-submodule',
    'diff --git a/n b/n\nnew file mode 160000\nindex 0..1\n--- /dev/null\n+++ b/n\n' +
      '@@ -0,0 +1 @@\n+Subproject commit 1\n',
    { ...TREE, n: undefined },
  ],
  'without a target of a link': [
    'patch-link',
    'diff --git a/n b/n\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/n\n' +
      '@@ -0,0 +1 @@\n+f\n',
    { ...TREE, n: { link: 'f' } },
  ],
  'of a binary file that is new': [
    'patch-binary',
    'diff --git a/n b/n\nnew file mode 100644\nindex 0000000..1\n' +
      'Binary files /dev/null and b/n differ\n',
    { ...TREE, n: '\0' },
  ],
  'of another binary file': [
    'patch-binary',
    `${GIT}index 1..2 100644\nBinary files a/f and b/f differ\n`,
    { ...TREE, f: '\0' },
  ],
  'that lost a hunk': [
    'patch-cut-off',
    'diff --git a/n b/n\nnew file mode 100644\nindex 0000000..1234567\n',
    { ...TREE, n: 'x\n' },
  ],
  'of files that are only there': [
    'patch-left-out',
    `Only in b: n\n${HEAD}${BODY}`,
    { ...CHANGED, n: '' },
  ],
  'in words': [
    'patch-indented',
    `Not this:\n${(HEAD + BODY).replaceAll(/^/gm, '  ')}${HEAD.replaceAll('f', 'long')}${BODY}`,
    { ...TREE, long: CHANGED['f'] },
  ],
  'with a number and a letter': [
    'patch-ed-script',
    `${GIT}${MODES}1d\n`,
    { ...TREE, f: { mode: 0o755, data: LINES } },
  ],
  'that makes a file with CR LF': [
    'patch-carriage-return',
    '--- /dev/null\r\n+++ b/n\r\n@@ -0,0 +1 @@\r\n+x\r\n',
    { ...TREE, n: 'x\n' },
  ],
  'that deletes, by a time near 1970': [
    'patch-timestamp',
    '--- a/d/x\n+++ b/d/x\t1970-01-01 00:00:01 +0000\n@@ -1 +0,0 @@\n-x\n',
    { ...TREE, 'd/x': '' },
  ],
  'that deletes, but for git only': [
    'patch-header',
    'diff --git a/d/x b/d/x\ndeleted file mode 100644\nindex 1..0\n--- a/d/x\n+++ b/d/x\n' +
      '@@ -1 +0,0 @@\n-x\n',
    without(TREE, 'd/x'),
  ],
}

/** Patches that GNU patch never applies, in this tree. */
const FAILING: Readonly<Record<string, [code: string, patch: string]>> = {
  'a page': ['patch-no-hunk', '<!DOCTYPE html>\n'],
  'one that was cut off': ['patch-cut-off', `${HEAD}${BODY.replace(' three\n', '')}`],
  'one that was cut off in a line': ['patch-cut-off', `${HEAD}${BODY.slice(0, -1)}`],
  'a hunk of context alone': ['patch-no-change', `${HEAD}@@ -1,2 +1,2 @@\n one\n two\n`],
  'hunks out of order': [
    'patch-hunk-order',
    `${HEAD}@@ -4 +4 @@\n-four\n+4\n@@ -1 +1 @@\n-one\n+1\n`,
  ],
  'a line without newline in the middle': [
    'patch-no-newline',
    `${HEAD}${BODY.replace('+2', `${NO_NEWLINE}+2`)}`,
  ],
  'a hunk behind the end': [
    'patch-no-newline',
    `${HEAD}@@ -1 +1 @@\n-one\n+1\n${NO_NEWLINE}@@ -3 +3 @@\n-three\n+3\n`,
  ],
  'a binary patch': [
    'patch-binary',
    `${GIT}index 1..2 100644\nGIT binary patch\nliteral 5\nzcmZ\n\n`,
  ],
  'a name with blanks': ['patch-name', '--- a/b b\n+++ b/b b\n@@ -1 +1 @@\n-x\n+y\n'],
  'a mode and a name with blanks': ['patch-name', `diff --git a/b b b/b b\n${MODES}`],
  'a name that leaves the folder': ['patch-name', '--- /dev/null\n+++ b/../n\n@@ -0,0 +1 @@\n+x\n'],
  'a file that becomes a link': [
    'patch-mode',
    `${GIT}old mode 100644\nnew mode 120000\n${HEAD}${BODY}`,
  ],
  'CR LF, where the file has none': [
    'patch-carriage-return',
    `${HEAD}${BODY}`.replaceAll('\n', '\r\n'),
  ],
}

/** Patches that are accepted, but fit another tree: GNU patch has to fail, and to ask nobody. */
const UNFITTING: Readonly<Record<string, string>> = {
  'a file that is not there': `${HEAD.replaceAll('f', 'n')}${BODY}`,
  'a mode of a file that is not there': `diff --git a/n b/n\n${MODES}`,
  'a mode of a link': `diff --git a/link b/link\n${MODES}`,
  'a new file that is there':
    `diff --git a/g b/g\nnew file mode 100755\n` + NEW.replace('b/n', 'b/g'),
  'a new empty file that is there':
    'diff --git a/g b/g\nnew file mode 100644\nindex 0000000..e69de29\n',
  'a deleted file with more lines': '--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n',
  'a deleted empty file that is not empty':
    `${GIT}deleted file mode 100644\n` + `index e69de29..0000000\n`,
  'lines that were changed already': `${HEAD}${BODY.replace('-two\n+2', '-2\n+two')}`,
  'context that is not the same': `${HEAD}${BODY.replace('three', 'drei')}`,
  'a newline that is not there': `${HEAD}@@ -5 +5 @@\n-five\n${NO_NEWLINE}+5\n`,
  'a link that is a file':
    `${GIT}index 1..2 120000\n${HEAD}@@ -1 +1 @@\n` + `-g\n${NO_NEWLINE}+h\n${NO_NEWLINE}`,
  'a file that is a link': `${HEAD.replaceAll('f', 'link')}${BODY}`,
  'a link of another target':
    `diff --git a/link b/link\nindex 1..2 120000\n--- a/link\n+++ b/link\n@@ -1 +1 @@\n` +
    `-g\n${NO_NEWLINE}+h\n${NO_NEWLINE}`,
  'a file behind a link that leaves':
    `diff --git a/n b/n\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/n\n` +
    `@@ -0,0 +1 @@\n+..\n${NO_NEWLINE}${NEW.replace('b/n', 'b/n/n')}`,
  'a version that is another': `Prereq: 7\n${HEAD}${BODY}`,
}

describe('a patch that is refused', () => {
  test.each(Object.entries(PASSED_OVER))(
    'is one that would be passed over: %s',
    async (_, [code, patch, wanted]) => {
      const folder = await temporaryFolder()
      expect(codesOf(patch)[0]).toBe(code)
      const result = await applied(folder, TREE, patch)
      expect(result.status).toBe(0)
      expect(result.tree).not.toEqual(await describeAt(folder, wanted))
    },
  )

  test.each(Object.entries(FAILING))('is one that would fail: %s', async (_, [code, patch]) => {
    expect(codesOf(patch)[0]).toBe(code)
    expect((await applied(await temporaryFolder(), TREE, patch)).status).not.toBe(0)
  })
})

test.each(Object.entries(UNFITTING))('a patch that does not fit fails: %s', async (_, patch) => {
  expect(codesOf(patch)).toEqual([])
  expect((await applied(await temporaryFolder(), TREE, patch)).status).not.toBe(0)
})
