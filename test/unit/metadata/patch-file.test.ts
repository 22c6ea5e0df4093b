import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Faults } from '../../../src/metadata/faults.ts'
import { checkPatch, type PatchCode } from '../../../src/metadata/patch-file.ts'

/** `CODE:LINE` of every fault of a patch. */
function faultsOf(...lines: readonly string[]): string[] {
  return faultsIn(lines.map((line) => `${line}\n`).join(''))
}

function faultsIn(text: string): string[] {
  const faults = new Faults()
  checkPatch('x.patch', text, faults)
  return faults.sorted().map(({ code, place }) => `${code}:${place?.line ?? 0}`)
}

const HEAD = ['--- a/f', '+++ b/f']
const BODY = ['@@ -1,3 +1,3 @@', ' one', '-two', '+2', ' three']
const NEW = ['@@ -0,0 +1,2 @@', '+one', '+two']
const GIT = 'diff --git a/f b/f'

describe('a patch that busybox applies', () => {
  it.each<[string, readonly string[]]>([
    ['alone', [...HEAD, ...BODY]],
    ['behind words', ['Why it is there.', '', '  - a list', '+ another', ...HEAD, ...BODY]],
    ['with times', ['--- a/f\t2024-01-01 10:00:00 +0000', '+++ b/f\t2024-01-02 10:00:00 +0000', ...BODY]],
    ['with names that hold blanks', ['--- a/f g\t', '+++ b/f g\t', ...BODY]],
    ['with other first components', ['--- x-1.0.orig/f', '+++ x-1.0/f', ...BODY]],
    ['with more slashes', ['--- a//f', '+++ b//f', ...BODY]],
    ['with a function’s name', [...HEAD, '@@ -1,3 +1,3 @@ int main(void)', ...BODY.slice(1)]],
    ['of quilt', ['Index: x/f', '='.repeat(67), '--- x.orig/f', '+++ x/f', ...BODY]],
    ['of git', [GIT, 'index 1234567..89abcde 100644', ...HEAD, ...BODY, '-- ', '2.39.2', '', '']],
    ['of several files', [GIT, ...HEAD, ...BODY, 'diff -u a/g b/g', '--- a/g', '+++ b/g', ...BODY]],
    ['of several hunks', [...HEAD, ...BODY, '@@ -9,2 +9,3 @@', ' nine', '+more', ' ten']],
    ['that makes a file', ['--- /dev/null', '+++ b/f', ...NEW]],
    ['that makes a file, with times', ['--- a/f\t1970-01-01 00:00:00 +0000', '+++ b/f\t2024-01-02 10:00:00', ...NEW]],
    ['that makes a file, of git', [GIT, 'new file mode 100644', 'index 0..1', '--- /dev/null', '+++ b/f', ...NEW]],
    ['of a file with lines that end in CR LF', [...HEAD, ...BODY.map((line, at) => (at === 0 ? line : `${line}\r`))]],
    [
      'of lines that look like heads',
      [...HEAD, '@@ -1,2 +1,2 @@', ' x', '--- a/f', '+++ b/f', '@@ -9,2 +9,2 @@', ' y', '-z', '+Z'],
    ],
    ['with blank lines that lost their blank', [...HEAD, '@@ -1,3 +1,3 @@', '', '-two', '+2', '']],
    ['of a file of one line', [...HEAD, '@@ -1 +1 @@', '-one', '+1']],
    [
      'of two commits in one mail folder',
      ['From 12345', 'Subject: x', '---', ' f | 2 +-', '', GIT, ...HEAD, ...BODY, '-- ', '2.39.2', '']
        .concat(['From 67890', 'Subject: y', '', ' - a list', '---', ' g | 2 +-', ' 1 file changed', ''])
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
      'patch-no-hunk',
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
    ['patch-name', 2, 'a name in quotes', ['--- /dev/null', '+++ "b/f\\303\\251"', ...NEW]],
    ['patch-name', 2, 'a time without a tab', ['--- /dev/null', '+++ b/f   2024-01-01 10:00:00 +0000', ...NEW]],
    ['patch-name', 2, 'a name without end', ['--- a/f', `+++ b/${'d/'.repeat(5000)}f`, ...BODY]],
    ['patch-timestamp', 1, 'an old time of 1970', ['--- a/f\t1970-01-01 00:00:00', '+++ b/f', ...BODY]],
    ['patch-timestamp', 2, 'a new time of 1970', ['--- a/f', '+++ b/f\t1970-01-01 00:00:00', ...BODY]],
    ['patch-carriage-return', 1, 'CR LF', [...HEAD, ...BODY].map((line) => `${line}\r`)],
    ['patch-context-diff', 1, 'a context diff', ['*** a/f', '--- b/f', '*'.repeat(15), '*** 1,3 ****']],
    ['patch-hunk-header', 3, 'no numbers', [...HEAD, '@@ -a +b @@', ' x']],
    ['patch-hunk-header', 3, 'no lines', [...HEAD, '@@ -1,0 +1,0 @@']],
    ['patch-hunk-header', 3, 'a number without end', [...HEAD, '@@ -1,99999999999 +1 @@']],
    ['patch-hunk-header', 8, 'a bad second head', [...HEAD, ...BODY, '@@ nine @@', ' x']],
    ['patch-hunk-header', 6, 'a made file with two hunks', ['--- /dev/null', '+++ b/f', ...NEW, '@@ -0,0 +3 @@', '+x']],
    ['patch-hunk-count', 8, 'a line too many', [...HEAD, ...BODY, '+four']],
    ['patch-hunk-count', 9, 'a line too many behind a blank one', [...HEAD, ...BODY, '', '-four']],
    ['patch-hunk-count', 6, 'an old line too many', [...HEAD, '@@ -1,1 +1,3 @@', ' one', '+2', '-two', '+3']],
    ['patch-hunk-order', 8, 'a hunk out of order', [...HEAD, '@@ -9,3 +9,3 @@', ...BODY.slice(1), ...BODY]],
    ['patch-cut-off', 3, 'the last line cut off', [...HEAD, ...BODY.slice(0, -1)]],
    ['patch-cut-off', 6, 'words in a hunk', [...HEAD, ...BODY.slice(0, 3), 'words']],
    ['patch-cut-off', 7, 'another hunk in a hunk', [...HEAD, ...BODY.slice(0, -1), '@@ -9 +9 @@', '-x', '+y']],
    ['patch-no-context', 3, 'lines taken out alone', [...HEAD, '@@ -2,2 +1,0 @@', '-two', '-three']],
    ['patch-no-context', 3, 'lines added alone', [...HEAD, '@@ -2,0 +3,1 @@', '+three']],
    ['patch-no-context', 3, 'a line changed alone', [...HEAD, '@@ -2 +2 @@', '-two', '+2']],
    ['patch-no-newline', 8, 'no newline at the end', [...HEAD, ...BODY, '\\ No newline at end of file']],
    [
      'patch-no-newline',
      6,
      'no newline before',
      [...HEAD, ...BODY.slice(0, 3), '\\ No newline at end of file', '+2', ' three'],
    ],
    ['patch-binary', 2, 'a NUL character', [...HEAD.slice(1), '\0']],
    ['patch-binary', 2, 'a binary file', [GIT, 'Binary files a/f and b/f differ']],
    ['patch-binary', 3, 'a binary patch', [GIT, 'index 0..1', 'GIT binary patch', 'literal 5', 'zcmZ']],
    [
      'patch-rename',
      3,
      'another name',
      ['diff --git a/f b/g', 'similarity index 100%', 'rename from f', 'rename to g'],
    ],
    ['patch-copy', 3, 'a copy', ['diff --git a/f b/g', 'similarity index 100%', 'copy from f', 'copy to g']],
    ['patch-mode', 2, 'another mode', [GIT, 'old mode 100644', 'new mode 100755']],
    ['patch-mode', 2, 'another mode with hunks', [GIT, 'old mode 100644', 'new mode 100755', ...HEAD, ...BODY]],
    ['patch-new-mode', 2, 'a new program', [GIT, 'new file mode 100755', '--- /dev/null', '+++ b/f', ...NEW]],
    ['patch-link', 2, 'a new link', [GIT, 'new file mode 120000', '--- /dev/null', '+++ b/f', '@@ -0,0 +1 @@', '+g']],
    ['patch-link', 2, 'another link', [GIT, 'index 1..2 120000', ...HEAD, '@@ -1 +1 @@', '-g', '+h']],
    ['patch-empty-file', 1, 'a new empty file', [GIT, 'new file mode 100644', 'index 0000000..e69de29']],
    ['patch-deletes-file', 1, 'a deleted file', ['--- a/f', '+++ /dev/null', '@@ -1 +0,0 @@', '-one']],
    ['patch-deletes-file', 1, 'an emptied file', [...HEAD, '@@ -1 +0,0 @@', '-one']],
    ['patch-deletes-file', 2, 'a deleted empty file', [GIT, 'deleted file mode 100644', 'index e69de29..0000000']],
  ])('%s in line %i: %s', (code, line, _, lines) => {
    expect(faultsOf(...lines)[0]).toBe(`${code}:${line}`)
  })

  it('has each of its faults told', () => {
    const parts = [GIT, 'old mode 100644', 'new mode 100755', 'diff --git a/g b/h', 'rename from g', 'rename to h']
    expect(faultsOf(...parts, GIT, ...HEAD, ...BODY)).toEqual(['patch-mode:2', 'patch-rename:5'])
  })
})

describe('a good patch that is cut', () => {
  const parts = [
    ['Why.', '', GIT, 'index 1..2 100644', ...HEAD, ...BODY],
    ['@@ -9,3 +9,4 @@ f', ' nine', ' ten', '+more', ' eleven'],
    ['diff --git a/g b/g', 'new file mode 100644', 'index 0000000..1', '--- /dev/null', '+++ b/g', ...NEW],
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
    const passing = lines.map((_, at) => at).filter((at) => faultsOf(...lines.slice(0, at)).length === 0)
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
    ...['--- a/f', '+++ b/f', '--- /dev/null', '+++ /dev/null', '@@ -1 +1 @@', '@@ -0,0 +1 @@', '@@ -1,2 +1 @@', GIT],
    ...['', ' x', '+x', '-x', '\\', '\0', 'new file mode 100644', 'rename from f', '-- ', '*** a', '\r', '--- ', '@@'],
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
