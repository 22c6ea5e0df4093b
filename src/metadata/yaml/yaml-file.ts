import { isUtf8 } from 'node:buffer'
import { basename, dirname } from 'node:path'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  Parser,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml'
import type { Place } from '../../base/error.ts'
import type { Faults } from './faults.ts'
import { placeAt } from './position.ts'
import { readBeneath } from './read-file.ts'

/** Way from a document's root to a value: names of fields and indices of elements. */
export type Path = readonly (string | number)[]

/** A value's place in a document: turned into line and column only when someone asks. */
export interface At {
  readonly document: SourceDocument
  readonly path: Path
}

/**
 * Larger files are refused before they are parsed, bytes. A kernel's configuration belongs into
 * `files/`.
 */
const MAX_SIZE = 256 * 1024

/**
 * Longer lines are refused, since the parser's time and memory grow with the depth that one line
 * can nest.
 */
const MAX_LINE = 4096

/**
 * Faults of syntax that one file reports: what comes after the first few is mostly their
 * consequence.
 */
const MAX_SYNTAX_FAULTS = 5

/**
 * Options of the parser: our own errors carry the frames, and {@link Reader} finds repeated keys
 * faster.
 */
const PARSE = { keepSourceTokens: false, prettyErrors: false, uniqueKeys: false } as const

/**
 * A YAML file: its value, and where each part of it lies. Values are plain data: maps, lists,
 * strings, numbers, booleans, null.
 */
export class SourceDocument {
  readonly file: string
  readonly text: string
  readonly value: unknown
  #nodes: Document | undefined

  constructor(file: string, text: string, value: unknown) {
    this.file = file
    this.text = text
    this.value = value
  }

  /** Place of the value at `path`, or of the nearest thing around it that exists. */
  place(path: Path): Place {
    return this.#placeOf(this.#nearest(path).value)
  }

  /** Place of the key (or the list's element) at `path`. */
  placeOfKey(path: Path): Place {
    const { key, value } = this.#nearest(path)
    return this.#placeOf(key ?? value)
  }

  /**
   * Place of the `nth` occurrence (from 0) of `part` in the text of the value at `path`; of the
   * value when escapes hide it.
   */
  placeOfPart(path: Path, part: string, nth: number): Place {
    const range = this.#nearest(path).value?.range
    if (range) {
      let at = this.text.indexOf(part, range[0])
      for (let left = nth; left > 0 && at !== -1; left--)
        at = this.text.indexOf(part, at + part.length)
      if (at !== -1 && at < range[1]) return placeAt(this.file, this.text, at, at + part.length)
    }
    return this.place(path)
  }

  /** The file's text of the value at `path`. */
  textOf(path: Path): string {
    const range = this.#nearest(path).value?.range
    return range ? this.text.slice(range[0], range[1]).trim() : ''
  }

  /**
   * Parsed a second time, but only in files that have a fault or whose origins are shown: keeping
   * the nodes of all would cost more.
   */
  #nearest(path: Path): { key: Node | undefined; value: Node | undefined } {
    this.#nodes ??= parseDocument(this.text, PARSE)
    let found: { key: Node | undefined; value: Node | undefined } = {
      key: undefined,
      value: this.#nodes.contents ?? undefined,
    }
    for (const step of path) {
      const next = childOf(found.value, step)
      if (next === undefined) break
      found = next
    }
    return found
  }

  #placeOf(node: Node | undefined): Place {
    const range = node?.range
    if (!range) return placeAt(this.file, this.text, 0, 1)
    // A block's range ends after its line.
    return placeAt(this.file, this.text, range[0], Math.max(range[0] + 1, range[1]))
  }
}

function childOf(
  node: Node | undefined,
  step: string | number,
): { key: Node | undefined; value: Node | undefined } | undefined {
  if (isMap(node)) {
    const pair = (node as YAMLMap<Node, Node | null>).items.find(
      ({ key }) => isScalar(key) && key.value === step,
    )
    return pair === undefined ? undefined : { key: pair.key, value: pair.value ?? pair.key }
  }
  if (isSeq(node) && typeof step === 'number') {
    const value = node.items[step] as Node | undefined
    return value === undefined ? undefined : { key: undefined, value }
  }
  return undefined
}

/**
 * Reads a YAML file, which is no link; undefined after noting why it can't be: those of
 * {@link readBeneath}, `not-utf8` and those of {@link parseText}. `file` is what messages call it.
 */
export function readDocument(
  path: string,
  faults: Faults,
  file = path,
): SourceDocument | undefined {
  const bytes = readBeneath(dirname(path), basename(path), MAX_SIZE, faults, file)?.bytes
  if (bytes === undefined) return undefined
  const text = bytes.toString('utf8')
  if (!isUtf8(bytes)) {
    const at = Math.max(0, text.indexOf('\uFFFD'))
    faults.add(
      'not-utf8',
      `Cannot read "${file}": it is not UTF-8`,
      placeAt(file, text, at, at + 1),
      'Save the file as UTF-8',
    )
    return undefined
  }
  return parseText(file, text, faults)
}

/**
 * Parses YAML 1.2. Undefined after noting faults: `yaml-syntax`, `yaml-tab`, `yaml-documents`,
 * `yaml-directive`, `duplicate-key`, `yaml-key` (no string), `yaml-alias`, `yaml-anchor`,
 * `yaml-tag`, `nul-character`, `half-character`, `line-too-long`. An empty file's value is null.
 */
export function parseText(file: string, text: string, faults: Faults): SourceDocument | undefined {
  const long = overlongLine(text)
  if (long !== undefined) {
    faults.add(
      'line-too-long',
      `Cannot read "${file}": a line has more than ${String(MAX_LINE)} characters`,
      placeAt(file, text, long, long + 1),
    )
    return undefined
  }
  const directive = directiveIn(text)
  if (directive !== undefined) {
    faults.add(
      'yaml-directive',
      `Cannot read "${file}": directives are not part of the format`,
      placeAt(file, text, directive, text.indexOf('\n', directive)),
      'Take the line out: the format is YAML 1.2',
    )
    return undefined
  }
  const document = parseDocument(text, PARSE)
  if (document.errors.length > 0) {
    for (const { code, message, pos } of document.errors.slice(0, MAX_SYNTAX_FAULTS)) {
      faults.add(
        SYNTAX_CODES[code] ?? 'yaml-syntax',
        `Cannot parse "${file}": ${code === 'MULTIPLE_DOCS' ? SECOND_DOCUMENT : lowerFirst(message)}`,
        placeAt(file, text, pos[0], pos[1]),
      )
    }
    return undefined
  }
  const before = faults.count
  const value = new Reader(file, text, faults).read(document.contents)
  return faults.count === before ? new SourceDocument(file, text, value) : undefined
}

const SYNTAX_CODES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'yaml-tab',
  MULTIPLE_DOCS: 'yaml-documents',
}

/** Instead of the parser's words, which name a function of its own. */
const SECOND_DOCUMENT = 'it holds a second document; a file has one'

/** Offset of the first directive: `%YAML 1.1` would make other numbers of the same text. */
function directiveIn(text: string): number | undefined {
  if (!/^\uFEFF?%/m.test(text)) return undefined
  // Only the parser knows where a document begins; a line of a text may begin so too.
  for (const token of new Parser().parse(text)) if (token.type === 'directive') return token.offset
  return undefined
}

/** Offset of the first line that is longer than allowed. */
function overlongLine(text: string): number | undefined {
  if (text.length <= MAX_LINE) return undefined
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    if (end - start > MAX_LINE) return start
    start = end + 1
  }
  return undefined
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1)
}

/**
 * Makes plain data of nodes. Anchors, aliases and tags are refused: a recipe says what it says in
 * one place, and no file can blow up when read.
 */
class Reader {
  readonly #file: string
  readonly #text: string
  readonly #faults: Faults

  constructor(file: string, text: string, faults: Faults) {
    this.#file = file
    this.#text = text
    this.#faults = faults
  }

  read(node: unknown): unknown {
    if (node === null || node === undefined) return null
    if (isAlias(node)) {
      this.#fault('yaml-alias', node, 'aliases are not part of the format', 'Write the value out')
      return
    }
    const { tag, anchor } = node as { tag?: string; anchor?: string }
    if (tag !== undefined) {
      this.#fault(
        'yaml-tag',
        node,
        'tags are not part of the format',
        'Leave the tag out; write texts that look like numbers in quotes',
      )
      return
    }
    if (anchor !== undefined) {
      this.#fault('yaml-anchor', node, 'anchors are not part of the format', 'Leave the anchor out')
      return
    }
    if (isScalar(node)) return this.#scalar(node, node.value)
    if (isSeq(node)) return node.items.map((item) => this.read(item))
    return isMap(node) ? this.#map(node) : null
  }

  #scalar(node: Node, value: unknown): unknown {
    if (typeof value === 'string' && value.includes('\0')) {
      this.#fault('nul-character', node, 'a text holds a NUL character')
      return
    }
    // Half of a pair of UTF-16, which only an escape can write: as bytes it would be another text.
    if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
      this.#fault('half-character', node, 'a text holds half a character')
      return
    }
    return value
  }

  #map(node: YAMLMap): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? key.value : undefined
      if (typeof name !== 'string' || name === '__proto__') {
        this.#fault(
          'yaml-key',
          isAlias(key) || isScalar(key) ? key : node,
          'a key is no text',
          'Write the key in quotes',
        )
      } else if (Object.hasOwn(object, name)) {
        this.#fault('duplicate-key', key, `"${name}" is there twice`, 'Keep one of them')
      } else {
        const { tag, anchor } = key as { tag?: string; anchor?: string }
        if (tag !== undefined || anchor !== undefined) this.read(key)
        object[name] = this.read(value)
      }
    }
    return object
  }

  #fault(code: string, node: unknown, reason: string, hint?: string): undefined {
    const range = (node as Node).range ?? [0, 1]
    this.#faults.add(
      code,
      `Cannot read "${this.#file}": ${reason}`,
      placeAt(this.#file, this.#text, range[0], Math.max(range[0] + 1, range[1])),
      hint,
    )
    return undefined
  }
}
