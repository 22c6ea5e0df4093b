import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Faults } from '../../../src/metadata/yaml/faults.ts'
import { checkPatch } from '../../../src/metadata/format/patch-file.ts'
import type { PatchCode } from '../../../src/metadata/format/patch-reasons.ts'

/** `CODE:LINE` of every fault of a patch. */
function faultsOf(...lines: readonly string[]): string[] {
  return faultsIn(lines.map((line) => `${line}\n`).join(''))
}

function faultsIn(text: string): string[] {
  const faults = new Faults()
  checkPatch('x.patch', text, faults)
  return faults.sorted().map(({ code, position }) => `${code}:${position?.line ?? 0}`)
}

const HEAD = ['--- a/f', '+++ b/f']
const BODY = ['@@ -1,3 +1,3 @@', ' one', '-two', '+2', ' three']
const NEW = ['@@ -0,0 +1,2 @@', '+one', '+two']
const GIT = 'diff --git a/f b/f'
const NO_NEWLINE = '\\ No newline at end of file'
const OLD_EMPTY = 'index e69de29..0000000'
const NEW_EMPTY = 'index 0000000..e69de29'
const MADE = ['--- /dev/null', '+++ b/f', ...NEW]
const DELETED = ['--- a/f', '+++ /dev/null', '@@ -1 +0,0 @@', '-one']

describe('a patch that GNU patch applies', () => {
  it.each<[string, readonly string[]]>([
    ['alone', [...HEAD, ...BODY]],
    ['behind words', ['Why it is there.', '', '  - a list', '+ another', ...HEAD, ...BODY]],
    [
      'with times',
      ['--- a/f\t2024-01-01 10:00:00 +0000', '+++ b/f\t2024-01-02 10:00:00 +0000', ...BODY],
    ],
    ['with names that hold blanks', ['--- a/f g\t', '+++ b/f g\t', ...BODY]],
    ['with other first components', ['--- x-1.0.orig/f', '+++ x-1.0/f', ...BODY]],
    ['with more slashes', ['--- a//f', '+++ b//f', ...BODY]],
    ['with a function’s name', [...HEAD, '@@ -1,3 +1,3 @@ int main(void)', ...BODY.slice(1)]],
    ['of quilt', ['Index: x/f', '='.repeat(67), '--- x.orig/f', '+++ x/f', ...BODY]],
    ['of git', [GIT, 'index 1234567..89abcde 100644', ...HEAD, ...BODY, '-- ', '2.39.2', '', '']],
    ['of several files', [GIT, ...HEAD, ...BODY, 'diff -u a/g b/g', '--- a/g', '+++ b/g', ...BODY]],
    ['of several hunks', [...HEAD, ...BODY, '@@ -9,2 +9,3 @@', ' nine', '+more', ' ten']],
    ['that makes a file', ['--- /dev/null', '+++ b/f', ...NEW]],
    [
      'that makes a file, with times',
      ['--- a/f\t1970-01-01 00:00:00 +0000', '+++ b/f\t2024-01-02 10:00:00', ...NEW],
    ],
    [
      'that makes a file, of git',
      [GIT, 'new file mode 100644', 'index 0..1', '--- /dev/null', '+++ b/f', ...NEW],
    ],
    [
      'of a file with lines that end in CR LF',
      [...HEAD, ...BODY.map((line, at) => (at === 0 ? line : `${line}\r`))],
    ],
    [
      'of lines that look like heads',
      [...HEAD, '@@ -1,2 +1,2 @@', ' x', '--- a/f', '+++ b/f', '@@ -9,2 +9,2 @@', ' y', '-z', '+Z'],
    ],
    ['with blank lines that lost their blank', [...HEAD, '@@ -1,3 +1,3 @@', '', '-two', '+2', '']],
    ['of a file of one line', [...HEAD, '@@ -1 +1 @@', '-one', '+1']],
    [
      'without context',
      [...HEAD, '@@ -2,2 +1,0 @@', '-two', '-three', '@@ -9 +7 @@', '-nine', '+9'],
    ],
    ['with a name in quotes', ['--- /dev/null', '+++ "b/f \\303\\251\\\\\\""', ...NEW]],
    [
      'with a name in quotes twice',
      ['diff --git "a/f\\"" "b/f\\""', '--- "a/f\\""', '+++ "b/f\\""', ...BODY],
    ],
    [
      'of git with a name that holds blanks',
      ['diff --git a/f b b/f b', '--- a/f b\t', '+++ b/f b\t', ...BODY],
    ],
    [
      'with a time behind blanks',
      ['--- a/f   2024-01-01 10:00:00', '+++ b/f 2024-01-02 10:00:00.5 +0200', ...BODY],
    ],
    [
      'with a time of 1970 and lines',
      ['--- a/f\t1970-01-01 00:00:00', '+++ b/f\t1970-01-01 00:00:00', ...BODY],
    ],
    ['without newline at the end', [...HEAD, ...BODY, NO_NEWLINE]],
    ['without newline before', [...HEAD, '@@ -1,2 +1,2 @@', ' one', '-two', NO_NEWLINE, '+2']],
    ['without newline after', [...HEAD, '@@ -1,2 +1,2 @@', ' one', '-two', '+2', NO_NEWLINE]],
    ['that makes a program', [GIT, 'new file mode 100755', 'index 0..1', ...MADE]],
    ['that makes an empty file', [GIT, 'new file mode 100644', NEW_EMPTY]],
    ['that deletes a file', DELETED],
    [
      'that deletes a file, with times',
      ['--- a/f\t2024-01-01', '+++ b/f\t1970-01-01 01:00:00.0 +0100', ...DELETED.slice(2)],
    ],
    ['that deletes a file, of git', [GIT, 'deleted file mode 100755', 'index 1..0', ...DELETED]],
    ['that deletes an empty file', [GIT, 'deleted file mode 100644', OLD_EMPTY]],
    ['that empties a file', [...HEAD, '@@ -1 +0,0 @@', '-one']],
    ['that changes a mode', [GIT, 'old mode 100644', 'new mode 100755']],
    [
      'that changes a mode and lines',
      [GIT, 'old mode 100755', 'new mode 100644', 'index 1..2', ...HEAD, ...BODY],
    ],
    [
      'that makes a link',
      [
        GIT,
        'new file mode 120000',
        'index 0..1',
        '--- /dev/null',
        '+++ b/f',
        '@@ -0,0 +1 @@',
        '+g',
        NO_NEWLINE,
      ],
    ],
    [
      'that changes a link',
      [GIT, 'index 1..2 120000', ...HEAD, '@@ -1 +1 @@', '-g', NO_NEWLINE, '+h', NO_NEWLINE],
    ],
    [
      'that deletes a link',
      [GIT, 'deleted file mode 120000', 'index 1..0', ...DELETED, NO_NEWLINE],
    ],
    [
      'with lists, commands and quotes in words',
      ['1d', '  int x', 'Xs', '> --- a/f', ' - x', '*** note ***', 'Index', '', ...HEAD, ...BODY],
    ],
    [
      'of two commits in one mail folder',
      [
        'From 12345',
        'Subject: x',
        '---',
        ' f | 2 +-',
        '',
        GIT,
        ...HEAD,
        ...BODY,
        '-- ',
        '2.39.2',
        '',
      ]
        .concat([
          'From 67890',
          'Subject: y',
          '',
          ' - a list',
          '---',
          ' g | 2 +-',
          ' 1 file changed',
          '',
        ])
        .concat(['diff --git a/g b/g', '--- a/g', '+++ b/g', ...BODY, '-- ', '2.39.2']),
    ],
  ])('passes: %s', (_, lines) => {
    expect(faultsOf(...lines)).toEqual([])
  })
})

describe('a patch that is none, or that would be passed over', () => {
  it.each<[PatchCode, number, string, readonly string[]]>([
    ['patch-empty', 1, 'nothing', []],
    ['patch-empty', 1, 'blank lines', ['', ' ']],
    ['patch-no-hunk', 1, 'a page', ['<!DOCTYPE html>', '<title>404 Not Found</title>']],
    ['patch-no-hunk', 1, 'a difference without context', ['1c1', '< a', '---', '> b']],
    ['patch-no-hunk', 2, 'a file without hunks', ['x', ...HEAD, 'text']],
    ['patch-no-hunk', 1, 'a part of git without hunks', [GIT, 'index 1..2 100644']],
    [
      'patch-submodule',
      2,
      'another repository',
      [GIT, 'new file mode 160000', 'index 0..1', '--- /dev/null', '+++ b/f', ...NEW],
    ],
    ['patch-header', 1, 'no new name', ['--- a/f', ...BODY]],
    ['patch-header', 1, 'no old name', ['+++ b/f', ...BODY]],
    ['patch-header', 2, 'no names', ['x', ...BODY]],
    ['patch-name', 2, 'no first component', ['--- a/f', '+++ f', ...BODY]],
    ['patch-name', 2, 'an absolute name', ['--- a/f', '+++ /f', ...BODY]],
    ['patch-name', 1, 'an absolute old name', ['--- /etc/f', '+++ b/f', ...BODY]],
    ['patch-name', 2, 'the folder above', ['--- a/f', '+++ b/../f', ...BODY]],
    ['patch-name', 1, 'the folder above, before', ['--- a/../f', '+++ b/f', ...BODY]],
    ['patch-name', 2, 'the folder itself', ['--- a/f', '+++ b/./f', ...BODY]],
    ['patch-name', 2, 'a folder', ['--- a/f', '+++ b/f/', ...BODY]],
    ['patch-name', 2, 'two names', ['--- a/f.orig', '+++ b/f', ...BODY]],
    ['patch-name', 2, 'no file at all', ['--- /dev/null', '+++ /dev/null', ...BODY]],
    ['patch-name', 1, 'blanks without a tab', ['--- a/f g', '+++ b/f g', ...BODY]],
    ['patch-name', 1, 'a blank in front of a tab', ['--- a/f \t', '+++ b/f \t', ...BODY]],
    ['patch-name', 2, 'a control character', ['--- /dev/null', '+++ "b/f\\n"', ...NEW]],
    ['patch-name', 2, 'bytes that are no UTF-8', ['--- /dev/null', '+++ "b/\\303"', ...NEW]],
    ['patch-name', 2, 'a quote without end', ['--- /dev/null', '+++ "b/f', ...NEW]],
    ['patch-name', 1, 'another name for git', ['diff --git a/g b/g', ...HEAD, ...BODY]],
    [
      'patch-name',
      1,
      'two names for git',
      ['diff --git a/f b/g', 'old mode 100644', 'new mode 100755'],
    ],
    [
      'patch-name',
      1,
      'blanks for git alone',
      ['diff --git a/f g b/f g', 'old mode 100644', 'new mode 100755'],
    ],
    [
      'patch-name',
      1,
      'no first component for git',
      ['diff --git f f', 'old mode 100644', 'new mode 100755'],
    ],
    ['patch-name', 2, 'a name without end', ['--- a/f', `+++ b/${'d/'.repeat(5000)}f`, ...BODY]],
    [
      'patch-timestamp',
      1,
      'a new time near 1970',
      ['--- a/f', '+++ b/f\t1970-01-01 00:00:01 +0000', '@@ -1 +0,0 @@', '-one'],
    ],
    [
      'patch-timestamp',
      1,
      'a new time in words',
      ['--- a/f', '+++ b/f\t1 Jan 1970 00:00:00 -0000', '@@ -1 +0,0 @@', '-one'],
    ],
    [
      'patch-timestamp',
      1,
      'an old time near 1970',
      ['--- a/f\t1970-01-01 12:00:00 +0000', '+++ b/f', ...NEW],
    ],
    ['patch-carriage-return', 2, 'CR LF for git', [GIT, 'old mode 100644\r', 'new mode 100755\r']],
    ['patch-carriage-return', 1, 'CR LF', [...HEAD, ...BODY].map((line) => `${line}\r`)],
    [
      'patch-context-diff',
      1,
      'a context diff',
      ['*** a/f', '--- b/f', '*'.repeat(15), '*** 1,3 ****'],
    ],
    ['patch-hunk-header', 3, 'no numbers', [...HEAD, '@@ -a +b @@', ' x']],
    ['patch-hunk-header', 3, 'no lines', [...HEAD, '@@ -1,0 +1,0 @@']],
    ['patch-hunk-header', 3, 'a number without end', [...HEAD, '@@ -1,99999999999 +1 @@']],
    ['patch-hunk-header', 8, 'a bad second head', [...HEAD, ...BODY, '@@ nine @@', ' x']],
    [
      'patch-hunk-header',
      6,
      'a made file with two hunks',
      ['--- /dev/null', '+++ b/f', ...NEW, '@@ -0,0 +3 @@', '+x'],
    ],
    ['patch-hunk-count', 8, 'a line too many', [...HEAD, ...BODY, '+four']],
    ['patch-hunk-count', 9, 'a line too many behind a blank one', [...HEAD, ...BODY, '', '-four']],
    [
      'patch-hunk-count',
      6,
      'an old line too many',
      [...HEAD, '@@ -1,1 +1,3 @@', ' one', '+2', '-two', '+3'],
    ],
    [
      'patch-hunk-order',
      8,
      'a hunk out of order',
      [...HEAD, '@@ -9,3 +9,3 @@', ...BODY.slice(1), ...BODY],
    ],
    ['patch-cut-off', 3, 'the last line cut off', [...HEAD, ...BODY.slice(0, -1)]],
    ['patch-cut-off', 6, 'words in a hunk', [...HEAD, ...BODY.slice(0, 3), 'words']],
    [
      'patch-cut-off',
      7,
      'another hunk in a hunk',
      [...HEAD, ...BODY.slice(0, -1), '@@ -9 +9 @@', '-x', '+y'],
    ],
    [
      'patch-hunk-header',
      3,
      'a made file with old lines',
      ['--- /dev/null', '+++ b/f', '@@ -1 +1 @@', '-x', '+y'],
    ],
    [
      'patch-hunk-header',
      3,
      'a deleted file with new lines',
      ['--- a/f', '+++ /dev/null', '@@ -1 +1 @@', '-x', '+y'],
    ],
    ['patch-hunk-header', 5, 'a deleted file with two hunks', [...DELETED, '@@ -2 +0,0 @@', '-x']],
    ['patch-hunk-header', 3, 'lines in front of the first', [...HEAD, '@@ -0,1 +1 @@', '-x', '+y']],
    ['patch-no-change', 3, 'context alone', [...HEAD, '@@ -1 +1 @@', ' one']],
    ['patch-no-context', 3, 'lines added alone', [...HEAD, '@@ -2,0 +3,1 @@', '+three']],
    ['patch-no-context', 3, 'an empty file filled', [...HEAD, '@@ -0,0 +1 @@', '+one']],
    [
      'patch-header',
      3,
      'a made file that was there',
      [GIT, 'new file mode 100644', ...HEAD, ...BODY],
    ],
    [
      'patch-header',
      3,
      'a deleted file that stays',
      [GIT, 'deleted file mode 100644', ...HEAD, '@@ -1 +0,0 @@', '-x'],
    ],
    ['patch-indented', 1, 'a patch in words', ['  --- a/f', '  +++ b/f']],
    ['patch-indented', 1, 'a hunk in words', ['X@@ -1 +1 @@', ...HEAD, ...BODY]],
    ['patch-indented', 1, 'a patch in a list', ['- --- a/f', ...HEAD, ...BODY]],
    ['patch-indented', 2, 'a mode', [GIT, ' new mode 100755', ...HEAD, ...BODY]],
    ['patch-context-diff', 1, 'a name behind stars', ['*** a/g', '', ...HEAD, ...BODY]],
    ['patch-ed-script', 2, 'a script of ed', ['Index: a/f', '2c', '2', '.']],
    [
      'patch-ed-script',
      2,
      'a difference without context',
      ['Index: a/f', '2c2', '< two', '---', '> 2'],
    ],
    [
      'patch-ed-script',
      4,
      'a command behind a mode',
      [GIT, 'old mode 100644', 'new mode 100755', '1d'],
    ],
    ['patch-left-out', 1, 'a file only there', ['Only in b: g', ...HEAD, ...BODY]],
    ['patch-left-out', 1, 'two links', ['Symbolic links a/l and b/l differ', ...HEAD, ...BODY]],
    [
      'patch-submodule',
      2,
      'another commit',
      [GIT, 'index 1..2 160000', ...HEAD, '@@ -1 +1 @@', '-g', '+h'],
    ],
    [
      'patch-no-newline',
      9,
      'a hunk behind the end',
      [...HEAD, ...BODY, NO_NEWLINE, '@@ -9 +9 @@', '-x', '+y'],
    ],
    ['patch-hunk-count', 9, 'the mark twice', [...HEAD, ...BODY, NO_NEWLINE, NO_NEWLINE]],
    [
      'patch-no-newline',
      6,
      'no newline before',
      [...HEAD, ...BODY.slice(0, 3), NO_NEWLINE, '+2', ' three'],
    ],
    ['patch-binary', 2, 'a NUL character', [...HEAD.slice(1), '\0']],
    ['patch-binary', 2, 'a binary file', [GIT, 'Binary files a/f and b/f differ']],
    [
      'patch-binary',
      3,
      'a binary patch',
      [GIT, 'index 0..1', 'GIT binary patch', 'literal 5', 'zcmZ'],
    ],
    [
      'patch-rename',
      3,
      'another name',
      ['diff --git a/f b/g', 'similarity index 100%', 'rename from f', 'rename to g'],
    ],
    [
      'patch-copy',
      3,
      'a copy',
      ['diff --git a/f b/g', 'similarity index 100%', 'copy from f', 'copy to g'],
    ],
    ['patch-mode', 2, 'a mode of its own', [GIT, 'new file mode 100600', NEW_EMPTY]],
    [
      'patch-mode',
      3,
      'a file that becomes a link',
      [GIT, 'old mode 100644', 'new mode 120000', ...HEAD, ...BODY],
    ],
    ['patch-mode', 1, 'an old mode alone', [GIT, 'old mode 100644', ...HEAD, ...BODY]],
    [
      'patch-mode',
      1,
      'a mode said twice',
      [GIT, 'new file mode 100755', 'index 0..1 100755', ...MADE],
    ],
    [
      'patch-link',
      5,
      'a link with newline',
      [GIT, 'new file mode 120000', '--- /dev/null', '+++ b/f', '@@ -0,0 +1 @@', '+g'],
    ],
    [
      'patch-link',
      5,
      'a link of two lines',
      [
        GIT,
        'index 1..2 120000',
        ...HEAD,
        '@@ -1,2 +1 @@',
        '-g',
        '-h',
        NO_NEWLINE,
        '+h',
        NO_NEWLINE,
      ],
    ],
    ['patch-no-hunk', 1, 'a link without target', [GIT, 'new file mode 120000', NEW_EMPTY]],
    [
      'patch-cut-off',
      1,
      'a new file without its hunk',
      [GIT, 'new file mode 100644', 'index 0000000..1234567'],
    ],
    ['patch-cut-off', 1, 'a new file without digests', [GIT, 'new file mode 100644']],
    [
      'patch-cut-off',
      1,
      'a deleted file without its hunk',
      [GIT, 'deleted file mode 100644', 'index 1234567..0000000'],
    ],
    [
      'patch-cut-off',
      1,
      'a mode without its hunk',
      [GIT, 'old mode 100644', 'new mode 100755', 'index 1..2'],
    ],
  ])('%s in line %i: %s', (code, line, _, lines) => {
    expect(faultsOf(...lines)[0]).toBe(`${code}:${line}`)
  })

  it('has each of its faults told', () => {
    const parts = [
      GIT,
      'copy from f',
      'copy to g',
      'diff --git a/g b/h',
      'rename from g',
      'rename to h',
    ]
    expect(faultsOf(...parts, GIT, ...HEAD, ...BODY)).toEqual(['patch-copy:2', 'patch-rename:5'])
  })
})

describe('a good patch that is cut', () => {
  const parts = [
    ['Why.', '', GIT, 'index 1..2 100644', ...HEAD, ...BODY],
    ['@@ -9,3 +9,4 @@ f', ' nine', ' ten', '+more', ' eleven'],
    [
      'diff --git a/g b/g',
      'new file mode 100644',
      'index 0000000..1',
      '--- /dev/null',
      '+++ b/g',
      ...NEW,
    ],
    ['diff --git a/h b/h', '--- a/h', '+++ b/h', ...BODY],
  ].map((lines) => lines.map((line) => `${line}\n`).join(''))
  const whole = parts.join('')
  /** Where a hunk ends: what is cut there is a smaller patch, and cannot be told from one. */
  const ends = parts.map((_, at) => parts.slice(0, at + 1).join('').length)

  it('at any byte is refused, or all of its hunks are whole', () => {
    let passed = 0
    for (let at = 0; at < whole.length; at++) {
      const cut = whole.slice(0, at)
      if (faultsIn(cut).length > 0) continue
      passed++
      const end = ends.findLast((one) => one <= at)
      expect(end, `cut at ${at}`).toBeDefined()
      expect(cut.slice(end)).not.toMatch(/^(?:\+\+\+ |@@)/m)
    }
    expect(passed).toBeGreaterThan(2)
    expect(ends.every((end) => faultsIn(whole.slice(0, end)).length === 0)).toBe(true)
  })

  it('at any line within a file’s part is refused', () => {
    const lines = whole.split('\n')
    const passing = lines
      .map((_, at) => at)
      .filter((at) => faultsOf(...lines.slice(0, at)).length === 0)
    const wholeParts = parts.map(
      (_, at) =>
        parts
          .slice(0, at + 1)
          .join('')
          .split('\n').length - 1,
    )
    expect(passing).toEqual(wholeParts)
  })

  it('or has a line less, or one twice, is refused or has no hunk changed', () => {
    const lines = whole.split('\n').slice(0, -1)
    for (const [at, line] of lines.entries()) {
      if (!/^(?:[-+ ]|@@)/.test(line)) continue
      expect(faultsOf(...lines.toSpliced(at, 1)), `without line ${at + 1}`).not.toEqual([])
      expect(faultsOf(...lines.toSpliced(at, 0, line)), `line ${at + 1} twice`).not.toEqual([])
    }
  })
})

describe('any text', () => {
  const line = fc.constantFrom(
    ...[
      '--- a/f',
      '+++ b/f',
      '--- /dev/null',
      '+++ /dev/null',
      '@@ -1 +1 @@',
      '@@ -0,0 +1 @@',
      '@@ -1,2 +1 @@',
      GIT,
    ],
    ...[
      '',
      ' x',
      '+x',
      '-x',
      '\\',
      '\0',
      'new file mode 100644',
      'rename from f',
      '-- ',
      '*** a',
      '\r',
      '--- ',
      '@@',
    ],
  )

  it('is a patch or none, without an end or a crash', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 30 }), (lines) => {
        for (const fault of faultsOf(...lines)) expect(fault).toMatch(/^patch-[a-z-]+:\d+$/)
      }),
      { numRuns: 1000 },
    )
    for (const text of [
      '\t'.repeat(1 << 20),
      `--- ${'\\'.repeat(1 << 20)}\n+++ ${'a/'.repeat(1 << 19)}\n@@ -1 +1 @@\n`,
    ])
      expect(faultsIn(text)).toHaveLength(1)
  })
})
