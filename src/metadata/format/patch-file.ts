import { basename } from 'node:path'
import type { Faults } from '../yaml/faults.ts'
import { gitName, headerName, type GitName, type HeaderName } from './patch-names.ts'
import { placeAt } from '../yaml/position.ts'

const AGAIN = 'Make it again by `diff -u` or `git diff`'

/**
 * What GNU patch passes over, does by halves or does elsewhere, in some tree at least, and ends
 * with status 0 all the same; and what it never applies. Each with the reason, and what to do
 * instead.
 */
const REASONS = {
  'patch-empty': ['it is empty', 'Remove it'],
  'patch-no-hunk': [
    'there is no hunk to apply',
    'It starts with --- a/FILE, +++ b/FILE and @@, as `diff -u` writes it',
  ],
  'patch-header': ['what is said about the file does not go with the hunks that follow', AGAIN],
  'patch-indented': [
    'the line counts as the head of a change, although something is in front of it',
    'Put > in front of lines that are quoted',
  ],
  'patch-name': [
    'it names no file below a first component, or not the same one twice',
    'Name the file a/FILE and b/FILE; in quotes where git writes no --- and the name holds blanks',
  ],
  'patch-timestamp': [
    'its time does not tell whether the file is there',
    'Say /dev/null in place of a file that is not there, and take the times out',
  ],
  'patch-carriage-return': [
    'its lines end in CR LF',
    'Only lines of a hunk may end so, where the file has such lines',
  ],
  'patch-context-diff': ['it is a context diff', 'Make it by `diff -u`'],
  'patch-ed-script': ['the line counts as a command of an editor', 'Make it by `diff -u`'],
  'patch-left-out': ['diff saw a change that it did not write down', 'Make it by `git diff`'],
  'patch-hunk-header': [
    'the line is no head of such a hunk',
    'It has the form @@ -LINE,COUNT +LINE,COUNT @@',
  ],
  'patch-hunk-count': [
    'the hunk has more lines than its head counts',
    'Make it again by `diff -u`, or correct the head',
  ],
  'patch-hunk-order': [
    'the hunk starts before the one in front of it ends',
    'Put the hunks of a file in order',
  ],
  'patch-cut-off': [
    'the hunk has fewer lines than its head counts, or is missing',
    'It was cut off, or edited: make it again',
  ],
  'patch-no-change': ['the hunk changes nothing', 'Remove it'],
  'patch-no-context': [
    'the hunk only adds lines, and has none to be found by',
    'Make it by `diff -u`, with lines of context',
  ],
  'patch-no-newline': ['a line without newline is not the last one of the file', AGAIN],
  'patch-binary': ['it holds no text', 'Put the file into files/ and copy it in step prepare'],
  'patch-rename': [
    'a file that has the new name already would be taken in its place',
    'Write `mv OLD NEW` in step prepare',
  ],
  'patch-copy': [
    'a file that has the new name already would be taken in its place',
    'Write `cp OLD NEW` in step prepare',
  ],
  'patch-mode': [
    'the mode would not be set',
    'Modes are 100644 and 100755, and an old one has a new one',
  ],
  'patch-link': [
    'the target of a symbolic link is one line without newline',
    'Make it by `git diff`',
  ],
  'patch-submodule': ['it changes another repository', 'Add the other repository as a source'],
} as const satisfies Readonly<Record<string, readonly [reason: string, hint: string]>>

/** Codes of the faults of patches. */
export type PatchCode = keyof typeof REASONS

/**
 * Checks that GNU patch, with the options of the build, does all that a patch says, or fails. Notes
 * faults at their lines, see {@link PatchCode}. What is cut off between two hunks cannot be told
 * from a smaller patch.
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

/** Lines that GNU patch reads outside of hunks, also with blanks, X and "- " in front. */
const HEAD = /^(?:---[ \t]|\+\+\+[ \t]|@@ -|diff --git )/
const GIT_HEAD =
  /^(?:(?:old|new|new file|deleted file) mode |(?:rename|copy) (?:from|to) |index |GIT binary patch)/
const PREFIX = /^[ \tX]*(?:- )*/

/** A context diff; a single line of stars with a path gives GNU patch a name. */
const STARS = /^(?:\*{15}|[ \tX]*\*\*\*[ \t].*\/)/

/** A line that GNU patch takes for a command of ed(1) or of a difference without context. */
const COMMAND = /^[ \tX]*(?:(?:\d+(?:,\d+)?)?(?:[aicd]|s\/\.\/\/)|\d[\d,]*[acd][\d,]*)[ \t]*\r?$/

/** What diff(1) writes in place of a change. */
const LEFT_OUT =
  /^(?:Only in \S+: \S+|Symbolic links \S+ and \S+ differ|File \S+ is an? .+ while file \S+ is an? .+)$/

/** git's digest of nothing, which says that a file without hunks is whole. */
const EMPTY = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'

/** The part of a patch that begins with `diff --git`. */
interface GitPart {
  readonly line: number
  readonly name: GitName | undefined
  /** The kinds of lines that state modes. */
  readonly modes: Set<string>
  link: boolean
  /** Digests that git states of the file: none, of an empty file before or after, or of another. */
  content: 'unknown' | 'empty' | 'some'
  /** Whether hunks, or a fault, say what comes of it. */
  settled: boolean
}

/** Where a hunk is and How many lines it has, in the old file and in the new one. */
interface Hunk {
  readonly oldStart: number
  readonly oldCount: number
  readonly newStart: number
  readonly newCount: number
}

/** What the hunks of a file do to it as a whole. */
interface Change {
  readonly created: boolean
  readonly deleted: boolean
  readonly link: boolean
}

/**
 * Goes through the lines of a patch once, as patch does. A fault in a hunk or its head ends it: the
 * rest follows from that.
 */
class PatchReader {
  readonly #lines: readonly string[]
  readonly #note: (code: PatchCode, line: number) => void
  #at = 0
  #files = 0
  #faults = 0
  #git: GitPart | undefined
  /** Behind a line `Index:`, where commands of editors count. */
  #indexed = false
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

  /** The part of git whose hunks did not come yet. */
  get #open(): GitPart | undefined {
    return this.#git?.settled === false ? this.#git : undefined
  }

  #fault(code: PatchCode, line = this.#at): false {
    this.#faults++
    this.#note(code, line)
    return false
  }

  /** A line outside of hunks, and the hunks behind it; false when nothing more can be told. */
  #readLine(line: string): boolean {
    const next = this.#lines[this.#at + 1] ?? ''
    const rest = line.slice(PREFIX.exec(line)?.[0].length)
    if (line.startsWith('--- ') && next.startsWith('+++ ')) return this.#readFile(line, next)
    if (STARS.test(line) || (line.startsWith('*** ') && next.startsWith('--- ')))
      return this.#fault('patch-context-diff')
    if (rest !== line && (HEAD.test(rest) || (this.#open !== undefined && GIT_HEAD.test(rest))))
      return this.#fault('patch-indented')
    if (line.startsWith('diff --git ')) this.#startGitPart(line)
    else if (HEAD.test(line)) return this.#fault('patch-header')
    else if (this.#afterHunk && /^[-+ \\]/.test(line) && !/^-- ?$/.test(line))
      return this.#fault('patch-hunk-count')
    else if ((this.#indexed || this.#open !== undefined) && COMMAND.test(line))
      return this.#fault('patch-ed-script')
    else if (LEFT_OUT.test(line)) this.#fault('patch-left-out')
    else if (/^GIT binary patch\r?$|^Binary files .+ differ\r?$/.test(line))
      this.#faultInGitPart('patch-binary')
    else if (this.#open !== undefined) this.#readGitLine(line, this.#open)
    if (rest.startsWith('Index:')) this.#indexed = true
    if (line !== '') this.#afterHunk = false
    this.#at++
    return true
  }

  #startGitPart(line: string): void {
    this.#endGitPart()
    const name = gitName(line.slice('diff --git '.length))
    this.#git = {
      line: this.#at,
      name,
      modes: new Set(),
      link: false,
      content: 'unknown',
      settled: false,
    }
  }

  /** Without hunks it makes or deletes an empty file, changes a mode, or says nothing at all. */
  #endGitPart(): void {
    const part = this.#open
    this.#git = undefined
    if (part === undefined || !this.#modesFit(part)) return
    const { modes, content, line, name } = part
    const whole = modes.has('new') ? 'unknown' : 'empty'
    if (part.link || modes.size === 0 || modes.has('index')) this.#fault('patch-no-hunk', line)
    else if (content !== whole) this.#fault('patch-cut-off', line)
    else if (name?.found !== true) this.#fault('patch-name', line)
    else this.#files++
  }

  /** GNU patch drops a mode when lines of other kinds state one too. */
  #modesFit({ modes, line }: GitPart): boolean {
    const said = [...modes].sort().join()
    const fit = ['', 'index', 'new file', 'deleted file', 'new,old'].includes(said)
    return fit || this.#fault('patch-mode', line)
  }

  #readGitLine(line: string, part: GitPart): void {
    if (GIT_HEAD.test(line) && line.endsWith('\r')) this.#faultInGitPart('patch-carriage-return')
    else if (line.startsWith('rename ')) this.#faultInGitPart('patch-rename')
    else if (line.startsWith('copy ')) this.#faultInGitPart('patch-copy')
    else {
      const [, kind, mode] = /^(old|new|new file|deleted file) mode (.*)$/.exec(line) ?? []
      const [, before, after, same] = /^index ([\da-f]+)\.\.([\da-f]+)(?: (.*))?$/.exec(line) ?? []
      if (kind !== undefined && mode !== undefined) this.#readMode(kind, mode, part)
      if (same !== undefined) this.#readMode('index', same, part)
      if (before === undefined || after === undefined) return
      const [digest, other] = part.modes.has('deleted file') ? [before, after] : [after, before]
      const empty = digest.length >= 7 && EMPTY.startsWith(digest) && /^0+$/.test(other)
      part.content = empty ? 'empty' : 'some'
    }
  }

  #readMode(kind: string, mode: string, part: GitPart): void {
    part.modes.add(kind)
    if (mode === '160000') this.#faultInGitPart('patch-submodule')
    else if (mode === '120000' && kind !== 'old' && kind !== 'new') part.link = true
    else if (mode !== '100644' && mode !== '100755') this.#faultInGitPart('patch-mode')
  }

  /** What the part says besides follows from the same change. */
  #faultInGitPart(code: PatchCode): void {
    this.#fault(code)
    if (this.#git !== undefined) this.#git.settled = true
  }

  #readFile(oldLine: string, newLine: string): boolean {
    const head = this.#at + 2
    const headLine = this.#lines[head] ?? ''
    if ([oldLine, newLine, headLine].some((line) => line.endsWith('\r')))
      return this.#fault('patch-carriage-return')
    const [from, to] = [headerName(oldLine), headerName(newLine)]
    if (from.path === undefined) return this.#fault('patch-name')
    if (to.path === undefined) return this.#fault('patch-name', this.#at + 1)
    const path = from.path === '' ? to.path : from.path
    if (path === '' || (to.path !== '' && to.path !== path))
      return this.#fault('patch-name', this.#at + 1)
    if (this.#open !== undefined && this.#open.name?.path !== path)
      return this.#fault('patch-name', this.#open.line)
    const first = hunkOf(headLine)
    if (first === undefined) {
      const started = headLine.startsWith('@@')
      return started ? this.#fault('patch-hunk-header', head) : this.#fault('patch-no-hunk')
    }
    const change = this.#changeOf(from, to, first)
    if (change === undefined) return false
    if (this.#git !== undefined) this.#git.settled = true
    this.#files++
    this.#at = head
    return this.#readHunks(change)
  }

  /** A file is made or deleted when its name or time says so, and the first hunk, and git. */
  #changeOf(from: HeaderName, to: HeaderName, first: Hunk): Change | undefined {
    const [noOld, noNew] = [
      first.oldStart + first.oldCount === 0,
      first.newStart + first.newCount === 0,
    ]
    const created = from.none && noOld
    const deleted = to.none && noNew
    const part = this.#open
    if ((from.path === '' && !created) || (to.path === '' && !deleted))
      this.#fault('patch-hunk-header', this.#at + 2)
    else if ((from.doubtful && noOld) || (to.doubtful && noNew)) this.#fault('patch-timestamp')
    else if (part === undefined) return { created, deleted, link: false }
    else if (
      (part.modes.has('new file') && !created) ||
      (part.modes.has('deleted file') && !deleted)
    )
      this.#fault('patch-header')
    else if (this.#modesFit(part)) return { created, deleted, link: part.link }
    return undefined
  }

  /** The hunks of a file; one that is made or deleted, and a link, has a single one. */
  #readHunks(change: Change): boolean {
    const single = change.created || change.deleted || change.link
    let [end, count, whole] = [0, 0, true]
    while (this.#line.startsWith('@@')) {
      const hunk = hunkOf(this.#line)
      if (hunk === undefined || (single && count > 0)) return this.#fault('patch-hunk-header')
      if (!whole) return this.#fault('patch-no-newline')
      if (hunk.oldCount === 0 && !change.created) return this.#fault('patch-no-context')
      if (hunk.oldStart < end) return this.#fault('patch-hunk-order')
      const head = this.#at
      const marks = this.#readHunk(hunk)
      if (marks === false) return false
      whole = marks === 0
      // Sides of one line, each with the mark.
      const sides = hunk.oldCount + hunk.newCount
      if (change.link && (sides > 2 || sides !== marks || hunk.oldCount > 1 || hunk.newCount > 1))
        return this.#fault('patch-link', head)
      end = hunk.oldStart + hunk.oldCount
      count++
    }
    this.#afterHunk = true
    return true
  }

  /** How many marks say that a line has no newline; false after a fault. */
  #readHunk(hunk: Hunk): number | false {
    const head = this.#at++
    let { oldCount, newCount } = hunk
    let [marks, changed] = [0, false]
    for (; oldCount > 0 || newCount > 0; this.#at++) {
      // The text behind the last newline is no line: either nothing, or cut off.
      if (this.#at >= this.#lines.length - 1) return this.#fault('patch-cut-off', head)
      const sign = this.#line[0] ?? ' '
      if (sign === '\\') return this.#fault('patch-no-newline')
      if (!'-+ '.includes(sign)) return this.#fault('patch-cut-off')
      if (sign !== '+') oldCount--
      if (sign !== '-') newCount--
      if (oldCount < 0 || newCount < 0) return this.#fault('patch-hunk-count')
      changed ||= sign !== ' '
      if (this.#lines[this.#at + 1]?.startsWith('\\') !== true) continue
      this.#at++
      if ((sign !== '+' && oldCount > 0) || (sign !== '-' && newCount > 0))
        return this.#fault('patch-no-newline')
      marks++
    }
    return changed ? marks : this.#fault('patch-no-change', head)
  }
}

/** Line 0 is in front of the first one: nothing there can be counted. */
function hunkOf(line: string): Hunk | undefined {
  const found = HUNK.exec(line)
  if (found === null) return undefined
  const [oldStart = 0, oldCount = 1, newStart = 0, newCount = 1] = found
    .slice(1)
    .map((digits: string | undefined) => (digits === undefined ? undefined : Number(digits)))
  const usable = oldCount + newCount > 0 && oldStart + newStart > 0
  if (!usable || (oldStart === 0 && oldCount > 0) || (newStart === 0 && newCount > 0))
    return undefined
  return { oldStart, oldCount, newStart, newCount }
}
