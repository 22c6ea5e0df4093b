import type { Position } from '../../base/error.ts'

/** Widest frame, in characters: a longer line is shown around the position. */
const WIDTH = 100

/**
 * Position of the characters from `start` up to `end` (offsets in UTF-16 code units) of a text;
 * the frame ends with its first line.
 */
export function positionAt(file: string, text: string, start: number, end: number): Position {
  // From -1 it would look at the first character.
  const lineStart = start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1
  const line = countLines(text, lineStart) + 1
  const newline = text.indexOf('\n', lineStart)
  const lineEnd = newline === -1 ? text.length : newline
  return {
    file,
    line,
    column: start - lineStart + 1,
    frame: frameOf(
      text.slice(lineStart, lineEnd),
      start - lineStart,
      Math.min(end, lineEnd) - lineStart,
    ),
  }
}

function countLines(text: string, end: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** The line with a row of carets below columns `from` to `to`, which count from 0. */
function frameOf(wholeLine: string, from: number, to: number): string {
  const cut =
    wholeLine.length > WIDTH ? Math.max(0, Math.min(from - WIDTH / 2, wholeLine.length - WIDTH)) : 0
  const line = wholeLine.slice(cut, cut + WIDTH).trimEnd()
  // Tabs are kept, so that the carets stand below whatever the terminal's tab width is.
  const indent = line.slice(0, from - cut).replace(/[^\t]/g, ' ')
  const carets = '^'.repeat(Math.max(1, Math.min(to, cut + line.length) - from))
  return `${printable(line)}\n${indent.padEnd(from - cut)}${carets}`
}

/** Without control characters, which could redraw the terminal. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g, '?')
}
