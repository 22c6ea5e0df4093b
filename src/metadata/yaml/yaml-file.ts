import { isMap, isScalar, isSeq, parseDocument, type Document, type Node, type YAMLMap } from 'yaml'
import type { Position } from '../../base/error.ts'
import { positionAt } from './position.ts'

/** Way from a file's root to a value: names of fields and indices of elements. */
export type Path = readonly (string | number)[]

/** A value and where it was written. */
export interface Item<T> {
  readonly value: T
  readonly at: At
}

/**
 * Options of the parser. Our own errors carry the frames, and the reader of `parse.ts` finds
 * repeated keys faster.
 */
export const PARSE = { keepSourceTokens: false, prettyErrors: false, uniqueKeys: false } as const

/** A key and its value, as the parser has them; an element of a list has no key. */
interface Found {
  readonly key: Node | undefined
  readonly value: Node | undefined
}

/**
 * A YAML file: its value, and the position of each part. Values are plain data: maps, lists,
 * strings, numbers, booleans, null.
 */
export class YamlFile {
  /** What messages call the file. */
  readonly file: string
  readonly text: string
  readonly value: unknown
  /** The tree of files that it belongs to; its own texts may name files of that. */
  readonly root: string
  #nodes: Document | undefined

  constructor(file: string, text: string, value: unknown, root = '') {
    this.file = file
    this.text = text
    this.value = value
    this.root = root
  }

  /** The value at `path`, to ask for its position later. */
  at(path: Path): At {
    return new At(this, path)
  }

  /** Position of the value at `path`, or of the nearest thing around it that exists. */
  position(path: Path): Position {
    return this.#positionOf(this.#nearest(path).value)
  }

  /** Position of the key (or the list's element) at `path`. */
  positionOfKey(path: Path): Position {
    const { key, value } = this.#nearest(path)
    return this.#positionOf(key ?? value)
  }

  /**
   * Position of the `nth` occurrence (from 0) of `part` in the text of the value at `path`; of the
   * value when escapes hide it.
   */
  positionOfPart(path: Path, part: string, nth: number): Position {
    const range = this.#nearest(path).value?.range
    if (range) {
      let at = this.text.indexOf(part, range[0])
      for (let left = nth; left > 0 && at !== -1; left--)
        at = this.text.indexOf(part, at + part.length)
      if (at !== -1 && at < range[1]) return positionAt(this.file, this.text, at, at + part.length)
    }
    return this.position(path)
  }

  /** The file's text of the value at `path`. */
  textOf(path: Path): string {
    const range = this.#nearest(path).value?.range
    return range ? this.text.slice(range[0], range[1]).trim() : ''
  }

  /**
   * Parses the file a second time, but only if it has a fault or someone asks for origins. Keeping
   * the nodes of all files would cost more.
   */
  #nearest(path: Path): Found {
    this.#nodes ??= parseDocument(this.text, PARSE)
    let found: Found = { key: undefined, value: this.#nodes.contents ?? undefined }
    for (const step of path) {
      const next = childOf(found.value, step)
      if (next === undefined) break
      found = next
    }
    return found
  }

  #positionOf(node: Node | undefined): Position {
    const range = node?.range
    if (!range) return positionAt(this.file, this.text, 0, 1)
    // A block's range ends after its line.
    return positionAt(this.file, this.text, range[0], Math.max(range[0] + 1, range[1]))
  }
}

/** Where a value stands in a file: turned into line and column only when someone asks. */
export class At {
  readonly yaml: YamlFile
  readonly path: Path

  constructor(yaml: YamlFile, path: Path) {
    this.yaml = yaml
    this.path = path
  }

  /** What stands below it. */
  below(...path: Path): At {
    return new At(this.yaml, [...this.path, ...path])
  }

  /** The map or list that holds it. */
  parent(): At {
    return new At(this.yaml, this.path.slice(0, -1))
  }

  /** Position of the value. */
  position(): Position {
    return this.yaml.position(this.path)
  }

  /** Position of the key, or of the list's element. */
  positionOfKey(): Position {
    return this.yaml.positionOfKey(this.path)
  }

  /** Position of a part of the value's text, see {@link YamlFile.positionOfPart}. */
  positionOfPart(part: string, nth = 0): Position {
    return this.yaml.positionOfPart(this.path, part, nth)
  }
}

function childOf(node: Node | undefined, step: string | number): Found | undefined {
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
