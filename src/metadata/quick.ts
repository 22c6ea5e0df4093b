/**
 * Reads the small part of YAML that recipes are mostly written in: block maps and lists, literal texts, one-line lists, plain and quoted texts
 * without escapes, comments. Undefined for everything else, also for what is wrong: then the real parser decides. It exists because the real one
 * takes ten times as long, which is most of the time of loading a large tree. Whatever it reads, the real parser reads as the same value and
 * without a fault; a test with random texts compares them.
 */
export function readQuickly(text: string): Record<string, unknown> | undefined {
  if (!text.endsWith('\n') || /[\r\0\uFEFF]/.test(text)) return undefined
  try {
    const reader = new QuickReader(text.slice(0, -1).split('\n'))
    return reader.readDocument()
  } catch (error) {
    if (error === NOT_PLAIN) return undefined
    throw error
  }
}

/** Thrown, without the cost of a stack, where the real parser must take over. */
const NOT_PLAIN = Symbol('not plain')

const KEY = /^([A-Za-z_][\w.+-]{0,100}):(?: +(.*)|)$/
const RESERVED = new Set(['null', 'Null', 'NULL', 'true', 'True', 'TRUE', 'false', 'False', 'FALSE', '__proto__'])
const SINGLE_QUOTED = /^'((?:[^']|'')*)' *(?: #.*)?$/
const DOUBLE_QUOTED = /^"([^"\\]*)" *(?: #.*)?$/
const LIST = /^\[((?:[^[\]{}#'"]|'[^']*'|"[^"\\]*")*)\] *(?: #.*)?$/
/** One element of a one-line list, with the comma or end after it. */
const ELEMENT = / *(?:'((?:[^']|'')*)'|"([^"\\]*)"|((?:[A-Za-z0-9_./]|-(?=[^\s,]))[^,'":]*(?::(?=[^\s,'":])[^,'":]*)*)) *(,|$)/y
/** A text without quotes that stands alone on its line. */
const PLAIN = /^(?:[A-Za-z0-9_./$]|-(?=\S))/
const NUMBER = /^[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF|nan|NaN|NAN))$/
const WHOLE = /^(?:0|[1-9][0-9]{0,14})$/

class QuickReader {
  readonly #lines: string[]
  #at = 0

  constructor(lines: string[]) {
    this.#lines = lines
  }

  readDocument(): Record<string, unknown> {
    if (this.#indent() !== 0) throw NOT_PLAIN
    const map = this.#map(0)
    if (this.#at < this.#lines.length) throw NOT_PLAIN
    return map
  }

  /** Goes to the next line that is neither blank nor a comment; its indentation, or -1 at the end. */
  #indent(): number {
    for (; this.#at < this.#lines.length; this.#at++) {
      const indent = indentOf(this.#line)
      const first = this.#line[indent]
      if (first !== undefined && first !== '#') return indent
    }
    return -1
  }

  get #line(): string {
    return this.#lines[this.#at] ?? ''
  }

  #map(indent: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    do {
      const [, key, rest] = KEY.exec(this.#line.slice(indent)) ?? []
      if (key === undefined || RESERVED.has(key) || Object.hasOwn(map, key)) throw NOT_PLAIN
      this.#at++
      map[key] = rest === undefined || rest === '' || rest.startsWith('#') ? this.#block(indent) : this.#value(rest, indent)
    } while (this.#indent() === indent)
    return map
  }

  /** What stands below a key that has nothing after its colon. */
  #block(parent: number): unknown {
    const indent = this.#indent()
    const isList = this.#line.startsWith('- ', indent)
    if (indent > parent) return isList ? this.#list(indent) : this.#map(indent)
    return indent === parent && isList ? this.#list(indent) : null
  }

  #list(indent: number): unknown[] {
    const list: unknown[] = []
    while (this.#indent() === indent && this.#line.startsWith('- ', indent)) {
      const rest = this.#line.slice(indent + 2)
      if (KEY.test(rest)) {
        // The element is a map whose first key stands behind the dash.
        this.#lines[this.#at] = ' '.repeat(indent + 2) + rest
        list.push(this.#map(indent + 2))
      } else {
        this.#at++
        list.push(this.#value(rest, indent))
      }
    }
    // Less or more indented lines are for the caller, who knows what may follow; a dash without a blank is for the real parser.
    if (this.#indent() > indent) throw NOT_PLAIN
    return list
  }

  /** What stands behind a colon or dash; nothing of it may go on in the next lines. */
  #value(rest: string, parent: number): unknown {
    if (rest === '|' || rest === '|-') return this.#literal(rest, parent)
    const value = inlineOf(rest)
    if (this.#indent() > parent) throw NOT_PLAIN
    return value
  }

  #literal(header: '|' | '|-', parent: number): string {
    const indent = indentOf(this.#line)
    if (indent <= parent || this.#line.length === indent) throw NOT_PLAIN
    const content: string[] = []
    for (; this.#at < this.#lines.length; this.#at++) {
      const own = indentOf(this.#line)
      if (own < indent && this.#line !== '') break
      if (own === this.#line.length && own > 0) throw NOT_PLAIN
      content.push(this.#line.slice(indent))
    }
    if (this.#at < this.#lines.length && indentOf(this.#line) > parent) throw NOT_PLAIN
    while (content.at(-1) === '') content.pop()
    return content.join('\n') + (header === '|' ? '\n' : '')
  }
}

function indentOf(line: string): number {
  let indent = 0
  while (line.charCodeAt(indent) === 32) indent++
  return indent
}

function inlineOf(text: string): unknown {
  switch (text[0]) {
    case "'":
      return matched(SINGLE_QUOTED, text).replaceAll("''", "'")
    case '"':
      return matched(DOUBLE_QUOTED, text)
    case '[':
      return elementsOf(matched(LIST, text))
    default:
      if (!PLAIN.test(text) || / #|: |[:\s]$|\t/.test(text)) throw NOT_PLAIN
      return plainOf(text)
  }
}

function matched(pattern: RegExp, text: string): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined || found.includes('\t')) throw NOT_PLAIN
  return found
}

function elementsOf(text: string): unknown[] {
  const elements: unknown[] = []
  if (/^ *$/.test(text)) return elements
  ELEMENT.lastIndex = 0
  for (;;) {
    const [, single, double, plain, end] = ELEMENT.exec(text) ?? []
    if (end === undefined) throw NOT_PLAIN
    elements.push(single?.replaceAll("''", "'") ?? double ?? plainOf((plain ?? '').replace(/ +$/, '')))
    if (end === '') return elements
  }
}

/** A text without quotes may stand for something else: https://yaml.org/spec/1.2.2/#103-core-schema */
function plainOf(text: string): unknown {
  if (NUMBER.test(text)) {
    if (WHOLE.test(text)) return Number(text)
    throw NOT_PLAIN
  }
  if (text === 'true' || text === 'false') return text === 'true'
  if (RESERVED.has(text)) throw NOT_PLAIN
  return text
}
