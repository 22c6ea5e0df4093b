import { isUtf8 } from 'node:buffer'
import { basename, dirname } from 'node:path'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  Parser,
  type Node,
  type YAMLMap,
} from 'yaml'
import type { MetadataCode } from '../../base/codes.ts'
import type { Faults } from './faults.ts'
import { positionAt } from './position.ts'
import { readBeneath, type Limit } from './read-file.ts'
import { PARSE, YamlFile } from './yaml-file.ts'

/** Larger files are refused before they are parsed. */
const LARGEST: Limit = { bytes: 256 << 10, hint: 'Move long texts into files of their own' }

/** Longer lines are refused: the parser's time and memory grow with the depth of one line. */
const MAX_LINE = 4096

/** Faults of syntax that one file reports: those after the first few are mostly consequences. */
const MAX_SYNTAX_FAULTS = 5

/** How messages call a file, and which tree of files it belongs to. */
export interface YamlOptions {
  readonly file?: string
  readonly root?: string
}

/**
 * Reads a YAML file, which is no link. Undefined after noting why it cannot be read: the faults of
 * {@link readBeneath}, `not-utf8` and those of {@link parseYaml}.
 */
export function readYaml(
  path: string,
  faults: Faults,
  { file = path, root = '' }: YamlOptions = {},
): YamlFile | undefined {
  const text = readYamlText(path, faults, file)
  return text === undefined ? undefined : parseYaml(text, faults, { file, root })
}

/** The text of such a file, which may be no YAML. */
export function readYamlText(path: string, faults: Faults, file = path): string | undefined {
  const bytes = readBeneath(dirname(path), basename(path), { limit: LARGEST, faults, file })?.bytes
  if (bytes === undefined) return undefined
  const text = bytes.toString('utf8')
  if (!isUtf8(bytes)) {
    const at = Math.max(0, text.indexOf('\uFFFD'))
    faults.add(
      'not-utf8',
      `Cannot read "${file}": it is not UTF-8`,
      positionAt(file, text, at, at + 1),
      'Save the file as UTF-8',
    )
    return undefined
  }
  return text
}

/**
 * Parses YAML 1.2. Undefined after noting faults: `yaml-syntax`, `yaml-tab`, `yaml-documents`,
 * `yaml-directive`, `duplicate-key`, `yaml-key` (no string), `yaml-alias`, `yaml-anchor`,
 * `yaml-tag`, `nul-character`, `half-character`, `line-too-long`. An empty file's value is null.
 */
export function parseYaml(
  text: string,
  faults: Faults,
  { file = '', root = '' }: YamlOptions,
): YamlFile | undefined {
  const long = overlongLine(text)
  if (long !== undefined) {
    faults.add(
      'line-too-long',
      `Cannot read "${file}": a line has more than ${MAX_LINE} characters`,
      positionAt(file, text, long, long + 1),
    )
    return undefined
  }
  const directive = directiveIn(text)
  if (directive !== undefined) {
    faults.add(
      'yaml-directive',
      `Cannot read "${file}": directives are not part of the format`,
      positionAt(file, text, directive, text.indexOf('\n', directive)),
      'Take the line out: the format is YAML 1.2',
    )
    return undefined
  }
  const document = parseDocument(text, PARSE)
  if (document.errors.length > 0) {
    for (const { code, message, pos } of document.errors.slice(0, MAX_SYNTAX_FAULTS)) {
      const reason = code === 'MULTIPLE_DOCS' ? SECOND_DOCUMENT : lowerFirst(message)
      faults.add(
        SYNTAX_CODES[code] ?? 'yaml-syntax',
        `Cannot parse "${file}": ${reason}`,
        positionAt(file, text, pos[0], pos[1]),
      )
    }
    return undefined
  }
  const before = faults.count
  const value = new Reader(file, text, faults).read(document.contents)
  return faults.count === before ? new YamlFile(file, text, value, root) : undefined
}

const SYNTAX_CODES: Readonly<Record<string, MetadataCode>> = {
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
 * Makes plain data of nodes. It refuses anchors, aliases and tags: a file states each value in one
 * place, and no small file can become large data.
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
    if (typeof value === 'string' && /[\ud800-\udfff]/u.test(value)) {
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

  #fault(code: MetadataCode, node: unknown, reason: string, hint?: string): undefined {
    const range = (node as Node).range ?? [0, 1]
    this.#faults.add(
      code,
      `Cannot read "${this.#file}": ${reason}`,
      positionAt(this.#file, this.#text, range[0], Math.max(range[0] + 1, range[1])),
      hint,
    )
    return undefined
  }
}
