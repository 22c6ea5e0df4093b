import {
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'

/** A text in a YAML file that is to be another. */
export interface TextChange {
  /** Names of fields and indices of elements that lead to it. */
  readonly path: readonly (string | number)[]
  readonly text: string
}

/**
 * The file's text with other values, and all else as it was: comments, order and blanks. Undefined
 * when one of the values is not there, or is more than a word in one line.
 */
export function withTexts(yaml: string, changes: readonly TextChange[]): string | undefined {
  const document = parseDocument(yaml)
  const places: { readonly start: number; readonly end: number; readonly text: string }[] = []
  for (const { path, text } of changes) {
    const node: unknown = document.getIn(path, true)
    if (!isScalar(node) || !isInline(node)) return undefined
    const [start, end] = node.range ?? [0, 0]
    places.push({ start, end, text: quotedLike(node, text) })
  }
  places.sort((a, b) => b.start - a.start)
  return places.reduce(
    (whole, { start, end, text }) => whole.slice(0, start) + text + whole.slice(end),
    yaml,
  )
}

/** A place in a YAML file that something is added at. */
interface Place {
  /** Names of fields that lead to it. */
  readonly path: readonly string[]
  /** For each of them the fields that its map may have, in their order. */
  readonly orders: readonly (readonly string[])[]
}

/** A list of words that is to have one more. */
export interface NewElement extends Place {
  readonly text: string
}

/** A field that a file is to have. */
export interface NewField extends Place {
  /** Its value as YAML has it; one of several lines is a map or a list. */
  readonly value: string
}

/**
 * The file's text with one more element at the end of a list, and all else as it was. Where the
 * list is not there it is made, as are maps around it, in their places. Undefined when there is
 * something else than a list, or a map in braces.
 */
export function withElement(yaml: string, change: NewElement): string | undefined {
  return behindMark(yaml, (rest) => withElementIn(rest, change))
}

/**
 * The file's text with one more field, in its place, and all else as it was. Maps around it are
 * made where they are not there. Undefined when the field is there, or a map in braces.
 */
export function withField(yaml: string, change: NewField): string | undefined {
  return behindMark(yaml, (rest) => withFieldIn(rest, change))
}

function behindMark(yaml: string, edit: (rest: string) => string | undefined): string | undefined {
  const [mark, rest] = splitMark(yaml)
  const isCrlf = rest.includes('\r\n') && !/(?<!\r)\n/.test(rest)
  const edited = edit(isCrlf ? rest.replaceAll('\r\n', '\n') : rest)
  if (edited === undefined) return undefined
  return mark + (isCrlf ? edited.replaceAll('\n', '\r\n') : edited)
}

const MARK = '\uFEFF'

/**
 * The byte order mark that some editors put in front of a text, and the rest: the mark is no part
 * of the first field.
 */
export function splitMark(text: string): readonly [mark: string, rest: string] {
  return text.startsWith(MARK) ? [MARK, text.slice(MARK.length)] : ['', text]
}

function withElementIn(yaml: string, change: NewElement): string | undefined {
  const { path, orders } = change
  const text = yamlWord(change.text)
  const found: unknown = parseDocument(yaml).getIn(path, true)
  if (isSeq(found)) return withItem(yaml, found, text)
  return found === undefined ? withFieldIn(yaml, { path, orders, value: `[${text}]` }) : undefined
}

function withFieldIn(yaml: string, { path, orders, value }: NewField): string | undefined {
  const document = parseDocument(yaml)
  if (document.hasIn(path)) return undefined
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const found = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true)
    if (found === undefined || found === null) continue
    if (!isMap(found) || found.flow === true) return undefined
    const name = path.at(-1) ?? ''
    const own = value.includes('\n') ? `${name}:\n${indented(value)}` : `${name}: ${value}`
    const lines = path
      .slice(depth, -1)
      .reduceRight((below, outer) => `${outer}:\n${indented(below)}`, own)
    return withLines(yaml, found, lines, orders[depth] ?? [])
  }
  return undefined
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '  ')
}

function withItem(yaml: string, { items, flow, range }: YAMLSeq, text: string): string | undefined {
  const last = items.at(-1) as Node | undefined
  const [start = 0, end = 0] = last?.range ?? []
  if (flow === true) {
    if (last !== undefined) return insert(yaml, end, `, ${text}`)
    return insert(yaml, (range?.[1] ?? 0) - 1, text)
  }
  const before = yaml.slice(yaml.lastIndexOf('\n', start - 1) + 1, start)
  return /^ *- +$/.test(before) ? insertLine(yaml, end, before + text) : undefined
}

/** With a field after those of the map that come before it in the format. */
function withLines(
  yaml: string,
  { items }: YAMLMap,
  field: string,
  order: readonly string[],
): string | undefined {
  const rankOf = (name: unknown): number => order.indexOf(String(name))
  const rank = rankOf(field.slice(0, field.indexOf(':')))
  const pairs = items as { readonly key: Node; readonly value: Node | null }[]
  const [first] = pairs
  if (first === undefined) return undefined
  const start = first.key.range?.[0] ?? 0
  const indent = start - yaml.lastIndexOf('\n', start - 1) - 1
  const lines = field.replace(/^/gm, ' '.repeat(indent))
  const before = pairs.findLast(({ key }) => rankOf(isScalar(key) ? key.value : '') < rank)
  if (before === undefined) return insert(yaml, start - indent, `${lines}\n`)
  return insertLine(yaml, (before.value ?? before.key).range?.[1] ?? 0, lines)
}

/** With lines after the one in which a value ends at `end`. */
function insertLine(yaml: string, end: number, lines: string): string {
  // A text of several lines ends behind its last one.
  const at = yaml[end - 1] === '\n' ? end - 1 : yaml.indexOf('\n', end)
  return at === -1 ? `${yaml}\n${lines}\n` : insert(yaml, at, `\n${lines}`)
}

function insert(yaml: string, at: number, text: string): string {
  return yaml.slice(0, at) + text + yaml.slice(at)
}

function isInline({ type }: Scalar): boolean {
  return type === 'PLAIN' || type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE'
}

/** In the quotes that the value had; else in quotes where YAML would take it for something else. */
function quotedLike({ type }: Scalar, text: string): string {
  if (type === 'QUOTE_DOUBLE') return JSON.stringify(text)
  return type === 'PLAIN' ? yamlWord(text) : inQuotes(text)
}

/** A text as YAML has it, also in a list in brackets: in quotes where it needs them. */
export function yamlWord(text: string): string {
  return isPlainText(text) ? text : inQuotes(text)
}

/** A text as YAML has it in quotes, in one line. */
export function inQuotes(text: string): string {
  return needsEscapes(text) ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`
}

function needsEscapes(text: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text)
}

function isPlainText(text: string): boolean {
  if (needsEscapes(text)) return false
  // Also where blanks and a comment follow.
  const document = parseDocument(`field: ${text} # comment\nlist: [${text}] # comment\n`)
  const list: unknown = document.get('list')
  return (
    document.errors.length === 0 &&
    document.get('field') === text &&
    isSeq(list) &&
    list.items.length === 1 &&
    list.get(0) === text
  )
}
