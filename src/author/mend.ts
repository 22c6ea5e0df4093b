import { isDeepStrictEqual } from 'node:util'
import { isScalar, parseDocument } from 'yaml'
import type { z } from 'zod'
import { inOrder } from './field-order.ts'
import { splitMark } from './yaml-text.ts'

/** What was done to a file. */
export type Mending = 'order of fields' | 'quotes of a version' | 'newline at the end'

/** A file's new text, or why it has to stay. */
export type Mended =
  { readonly text: string; readonly mendings: readonly Mending[] } | { readonly refusal: string }

/**
 * Mends what a reader of a YAML file of the layers refuses, and no more: fields out of order,
 * versions that YAML takes for numbers, and a missing newline at the end. Comments stay with their
 * fields, and a byte order mark at the beginning. A file is refused where the result would not say
 * the same.
 */
export function mend(text: string, schema: z.ZodType): Mended {
  const [mark, rest] = splitMark(text)
  const mended = mendText(rest, schema)
  return 'refusal' in mended ? mended : { ...mended, text: mark + mended.text }
}

function mendText(text: string, schema: z.ZodType): Mended {
  const before = parseDocument(text)
  if (before.errors.length > 0) return { refusal: 'it is no valid YAML' }
  const mendings: Mending[] = []
  const quoted = withQuotes(text)
  if (quoted !== text) mendings.push('quotes of a version')
  const ordered = inOrder(quoted, schema)
  if (ordered === undefined)
    return { refusal: 'a map in it has its fields out of order, and comments in between' }
  const whole = ordered === '' || ordered.endsWith('\n') ? ordered : `${ordered}\n`
  if (ordered.trimEnd() !== quoted.trimEnd()) mendings.push('order of fields')
  if (text !== '' && !text.endsWith('\n')) mendings.push('newline at the end')
  return saysTheSame(quoted, whole)
    ? { text: whole, mendings }
    : { refusal: 'its fields cannot be moved without changing what it says' }
}

/** Fields may hold a version themselves, or for a recipe that is extended or amended. */
const VERSIONS = [['version'], ['set', 'version']]

/** The text with quotes around versions that YAML takes for numbers. */
function withQuotes(text: string): string {
  const document = parseDocument(text)
  const places = VERSIONS.flatMap((path) => {
    const node: unknown = document.hasIn(path) ? document.getIn(path, true) : undefined
    if (!isScalar(node) || typeof node.value !== 'number' || !node.range) return []
    return [node.range]
  })
  return places
    .sort(([a], [b]) => b - a)
    .reduce((all, [start, end]) => {
      return `${all.slice(0, start)}'${all.slice(start, end)}'${all.slice(end)}`
    }, text)
}

/** Whether two texts have the same values, in whatever order, and the same words in all. */
function saysTheSame(before: string, after: string): boolean {
  const [first, second] = [parseDocument(before), parseDocument(after)]
  if (second.errors.length > 0) return false
  if (!isDeepStrictEqual(first.toJS(), second.toJS())) return false
  return wordsOf(before) === wordsOf(after)
}

/** All characters but blanks, sorted: no comment may be lost or doubled. */
function wordsOf(text: string): string {
  return text.replace(/\s/g, '').split(/(?:)/u).sort().join('')
}
