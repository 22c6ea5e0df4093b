import { basename } from 'node:path'
import type { Faults } from '../yaml/faults.ts'
import { positionAt } from '../yaml/position.ts'
import { gitName, headerName, type GitName, type HeaderName } from './patch-names.ts'
import { PATCH_REASONS, type PatchCode } from './patch-reasons.ts'

/**
 * Checks that GNU patch, with the options of the build, does all that a patch says, or fails. Notes
 * faults at their lines, see {@link PatchCode}. What is cut off between two hunks cannot be told
 * from a smaller patch.
 */
export function checkPatch(file: string, text: string, faults: Faults): void {
  const starts = lineStarts(text)
  const note = (code: PatchCode, line: number) => {
    const [reason, hint] = PATCH_REASONS[code]
    const [start, end] = [starts[line] ?? text.length, (starts[line + 1] ?? text.length + 1) - 1]
    const position = positionAt(file, text, start, Math.max(start + 1, end))
    faults.add(code, `Cannot apply "${basename(file)}": ${reason}`, position, hint)
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
const MODE = '(?:old|new|new file|deleted file) mode '
const GIT_HEAD = new RegExp(`^(?:${MODE}|(?:rename|copy) (?:from|to) |index |GIT binary patch)`)
const PREFIX = /^[ \tX]*(?:- )*/

/** A context diff; a single line of stars with a path gives GNU patch a name. */
const STARS = /^(?:\*{15}|[ \tX]*\*\*\*[ \t].*\/)/

/** A line that GNU patch takes for a command of ed(1) or of a difference without context. */
const COMMAND = /^[ \tX]*(?:(?:\d+(?:,\d+)?)?(?:[aicd]|s\/\.\/\/)|\d[\d,]*[acd][\d,]*)[ \t]*\r?$/

/** What diff(1) writes in place of a change. */
const LEFT_OUT = [
  /^Only in \S+: \S+$/,
  /^Symbolic links \S+ and \S+ differ$/,
  /^File \S+ is an? .+ while file \S+ is an? .+$/,
]

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

/** Where a hunk is and how many lines it has, in the old file and in the new one. */
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
    else if (LEFT_OUT.some((form) => form.test(line))) this.#fault('patch-left-out')
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
