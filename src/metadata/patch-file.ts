import { basename } from 'node:path'
import type { Faults } from './faults.ts'
import { isFileName, MAX_PATH } from './places.ts'
import { placeAt } from './position.ts'

/**
 * What busybox's `patch -p1` passes over, does by halves or does elsewhere, and ends with status 0 all the same; and
 * what is no patch. Each with the reason, and what to do instead.
 */
const REASONS = {
  'patch-empty': ['it is empty', 'Remove it'],
  'patch-no-hunk': [
    'there is no hunk to apply',
    'It starts with --- a/FILE, +++ b/FILE and @@, as `diff -u` writes it',
  ],
  'patch-header': ['lines --- and +++ do not come as a pair in front of the first hunk', 'Make it again by `diff -u`'],
  'patch-name': ['the name is none below a first component', 'Name files a/FILE and b/FILE, without quotes and ..'],
  'patch-timestamp': ['a time of 1970 says that the file is not there', 'Take the time out, behind the name'],
  'patch-carriage-return': ['its lines end in CR LF', 'Only lines of a hunk may end so, where the file has such lines'],
  'patch-context-diff': ['it is a context diff', 'Make it by `diff -u`'],
  'patch-hunk-header': ['the line is no head of a hunk', 'It has the form @@ -LINE,COUNT +LINE,COUNT @@'],
  'patch-hunk-count': [
    'the hunk has more lines than its head counts',
    'Make it again by `diff -u`, or correct the head',
  ],
  'patch-hunk-order': ['the hunk starts before the one in front of it ends', 'Put the hunks of a file in order'],
  'patch-cut-off': [
    'the hunk has fewer lines than its head counts',
    'It was cut off, or edited: make it again by `diff -u`',
  ],
  'patch-no-context': [
    'the hunk has no line that stays, to be found by',
    'Make it by `diff -u`, with lines of context',
  ],
  'patch-no-newline': ['a last line without newline would get one', 'Make this change by a command of step prepare'],
  'patch-binary': ['it holds no text', 'Put the file into files/ and copy it in step prepare'],
  'patch-rename': ['a file would not be renamed', 'Write `mv OLD NEW` in step prepare'],
  'patch-copy': ['a file would not be copied', 'Write `cp OLD NEW` in step prepare'],
  'patch-mode': ['the mode of a file would not be changed', 'Write `chmod` in step prepare'],
  'patch-new-mode': ['the new file would not be executable', 'Say "new file mode 100644", and `chmod` in step prepare'],
  'patch-link': ['a symbolic link would become a file', 'Write `ln -s` in step prepare'],
  'patch-empty-file': ['an empty file would not be made', 'Write `touch FILE` in step prepare'],
  'patch-deletes-file': ['the file would not be deleted but emptied', 'Write `rm FILE` in step prepare'],
} as const satisfies Readonly<Record<string, readonly [reason: string, hint: string]>>

/** Codes of the faults of patches. */
export type PatchCode = keyof typeof REASONS

/**
 * Checks that busybox's `patch -p1` does all that a patch says, or fails. Notes faults at their lines, see
 * {@link PatchCode}. What is cut off between two hunks cannot be told from a smaller patch.
 */
export function checkPatch(file: string, text: string, faults: Faults): void {
  const starts = lineStarts(text)
  const note = (code: PatchCode, line: number) => {
    const [reason, hint] = REASONS[code]
    const [start, end] = [starts[line] ?? text.length, (starts[line + 1] ?? text.length + 1) - 1]
    const place = placeAt(file, text, start, Math.max(start + 1, end))
    faults.add(code, `Cannot apply "${basename(file)}": ${reason}`, place, hint)
  }
  const nul = text.indexOf('\0')
  if (text.trim() === '') note('patch-empty', 0)
  else if (nul !== -1)
    note(
      'patch-binary',
      starts.findLastIndex((start) => start <= nul),
    )
  else new PatchReader(text.split('\n'), note).read()
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/

/** Lines in front of a file's hunks that `git diff` adds, where they say what patch does not do. */
const GIT_LINES: readonly (readonly [form: RegExp, code: PatchCode])[] = [
  [/^(?:old|new) mode /, 'patch-mode'],
  [/^rename (?:from|to) /, 'patch-rename'],
  [/^copy (?:from|to) /, 'patch-copy'],
  [/^(?:new file mode|deleted file mode|index \S+) 120000$/, 'patch-link'],
  [/^(?:new file mode|index \S+) 160000$/, 'patch-no-hunk'],
  [/^deleted file mode /, 'patch-deletes-file'],
  [/^new file mode (?!100644$)/, 'patch-new-mode'],
]

/** The part of a patch that begins with `diff --git`. */
interface GitPart {
  readonly line: number
  /** Whether it makes a file. */
  created: boolean
  /** Whether hunks, or a fault, say what comes of it. */
  settled: boolean
}

/** A file's name as busybox takes it from a line `--- ` or `+++ `. */
interface HeaderName {
  readonly name: string
  /** The file is not there, before or after. */
  readonly none: boolean
}

/** Where a hunk is and how many lines it has, in the old file and in the new one. */
interface Hunk {
  readonly oldStart: number
  readonly oldCount: number
  readonly newCount: number
}

/** Goes through the lines of a patch once, as patch does. A fault in a hunk or its head ends it: the rest follows from that. */
class PatchReader {
  readonly #lines: readonly string[]
  readonly #note: (code: PatchCode, line: number) => void
  #at = 0
  #files = 0
  #faults = 0
  #git: GitPart | undefined
  /** Behind a hunk, where a line of a hunk would be passed over. */
  #afterHunk = false

  constructor(lines: readonly string[], note: (code: PatchCode, line: number) => void) {
    this.#lines = lines
    this.#note = note
  }

  read(): void {
    while (this.#at < this.#lines.length) {
      if (!this.#readLine(this.#line)) return
    }
    this.#endGitPart()
    if (this.#files === 0 && this.#faults === 0) this.#fault('patch-no-hunk', 0)
  }

  get #line(): string {
    return this.#lines[this.#at] ?? ''
  }

  #fault(code: PatchCode, line = this.#at): false {
    this.#faults++
    this.#note(code, line)
    return false
  }

  /** A line outside of hunks, and the hunks behind it; false when nothing more can be told. */
  #readLine(line: string): boolean {
    const next = this.#lines[this.#at + 1] ?? ''
    if (line.startsWith('diff --git ')) this.#startGitPart()
    else if (/^\*{15}/.test(line) || (line.startsWith('*** ') && next.startsWith('--- ')))
      return this.#fault('patch-context-diff')
    else if (line.startsWith('--- ') && next.startsWith('+++ ')) return this.#readFile(line, next)
    else if (/^(?:--- |\+\+\+ |@@ -)/.test(line)) return this.#fault('patch-header')
    else if (this.#afterHunk && line.startsWith('\\')) return this.#fault('patch-no-newline')
    else if (this.#afterHunk && /^[-+ ]/.test(line) && !/^-- ?$/.test(line)) return this.#fault('patch-hunk-count')
    else if (/^GIT binary patch$|^Binary files .+ differ$/.test(line)) this.#faultInGitPart('patch-binary')
    else if (this.#git?.settled === false) this.#readGitLine(line, this.#git)
    if (line !== '') this.#afterHunk = false
    this.#at++
    return true
  }

  #startGitPart(): void {
    this.#endGitPart()
    this.#git = { line: this.#at, created: false, settled: false }
  }

  /** One that nothing follows makes an empty file, or says nothing at all. */
  #endGitPart(): void {
    if (this.#git?.settled === false)
      this.#fault(this.#git.created ? 'patch-empty-file' : 'patch-no-hunk', this.#git.line)
    this.#git = undefined
  }

  #readGitLine(line: string, part: GitPart): void {
    const found = GIT_LINES.find(([form]) => form.test(line))
    if (found !== undefined) this.#faultInGitPart(found[1])
    else if (line.startsWith('new file mode ')) part.created = true
  }

  /** What the part says besides follows from the same change. */
  #faultInGitPart(code: PatchCode): void {
    this.#fault(code)
    if (this.#git !== undefined) this.#git.settled = true
  }

  #readFile(oldLine: string, newLine: string): boolean {
    if (oldLine.endsWith('\r') || newLine.endsWith('\r')) return this.#fault('patch-carriage-return')
    const [from, to] = [headerName(oldLine), headerName(newLine)]
    if (!from.none && /^\/|(?:^|\/)\.\.(?:\/|$)/.test(from.name)) return this.#fault('patch-name')
    if (!to.none && !isName(to.name)) return this.#fault('patch-name', this.#at + 1)
    const head = this.#at + 2
    const first = hunkOf(this.#lines[head] ?? '')
    if (first === undefined) {
      const started = this.#lines[head]?.startsWith('@@') === true
      return started ? this.#fault('patch-hunk-header', head) : this.#fault('patch-no-hunk')
    }
    if (from.none && first.oldCount > 0 && from.name !== '/dev/null') return this.#fault('patch-timestamp')
    if (to.none && first.newCount > 0) return this.#fault('patch-timestamp', this.#at + 1)
    // An emptied file: patch asks neither what it holds nor what the hunk takes out.
    if (to.none || first.newStart + first.newCount === 0) return this.#fault('patch-deletes-file')
    if (this.#git !== undefined) this.#git.settled = true
    this.#files++
    this.#at = head
    return this.#readHunks(from.none || first.oldStart + first.oldCount === 0)
  }

  /** The hunks of a file; one that is made has a single one, that adds lines. */
  #readHunks(created: boolean): boolean {
    let [end, count] = [0, 0]
    while (this.#line.startsWith('@@')) {
      const hunk = hunkOf(this.#line)
      if (hunk === undefined || (created && (hunk.oldCount > 0 || count > 0))) return this.#fault('patch-hunk-header')
      if (!created && (hunk.oldCount === 0 || hunk.newCount === 0)) return this.#fault('patch-no-context')
      if (hunk.oldStart < end) return this.#fault('patch-hunk-order')
      if (!this.#readHunk(hunk, created)) return false
      end = hunk.oldStart + hunk.oldCount
      count++
    }
    this.#afterHunk = true
    return true
  }

  #readHunk(hunk: Hunk, created: boolean): boolean {
    const head = this.#at++
    let { oldCount, newCount } = hunk
    let context = false
    for (; oldCount > 0 || newCount > 0; this.#at++) {
      // The text behind the last newline is no line: either nothing, or cut off.
      if (this.#at >= this.#lines.length - 1) return this.#fault('patch-cut-off', head)
      const sign = this.#line[0] ?? ' '
      if (sign === '\\') return this.#fault('patch-no-newline')
      if (!'-+ '.includes(sign)) return this.#fault('patch-cut-off')
      if (sign !== '+') oldCount--
      if (sign !== '-') newCount--
      if (oldCount < 0 || newCount < 0) return this.#fault('patch-hunk-count')
      context ||= sign === ' '
    }
    // A file of one line has none; elsewhere patch would look for the hunk at the end of the file.
    return context || created || hunk.oldStart === 1 || this.#fault('patch-no-context', head)
  }
}

function hunkOf(line: string): (Hunk & { readonly newStart: number }) | undefined {
  const found = HUNK.exec(line)
  if (found === null) return undefined
  const [oldStart = 0, oldCount = 1, newStart = 0, newCount = 1] = found
    .slice(1)
    .map((digits: string | undefined) => (digits === undefined ? undefined : Number(digits)))
  return oldCount + newCount === 0 ? undefined : { oldStart, oldCount, newStart, newCount }
}

/** Up to a tab, behind which there may be a time; years up to 1970 stand for no file. */
function headerName(line: string): HeaderName {
  const [, name = '', time = ''] = /^....((?:\\.|[^\t\\]|\\$)*)(.*)$/s.exec(line.slice(0, 4 * MAX_PATH)) ?? []
  const year = parseInt(time, 10)
  return { name, none: name === '/dev/null' || (year > 1900 && year <= 1970) }
}

/** Whether `-p1` leaves the path of a file below the folder that is patched. */
function isName(name: string): boolean {
  const parts = name.split(/\/+/)
  return (
    parts.length > 1 &&
    parts.every(isFileName) &&
    Buffer.byteLength(name) <= MAX_PATH &&
    !name.startsWith('"') &&
    // With blanks in place of the tab, the time would be a part of the name.
    !/\s\d{4}-\d\d-\d\d\s/.test(name)
  )
}
