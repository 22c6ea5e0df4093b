import { isMap, isScalar, isSeq, parseDocument, type Node, type Pair, type YAMLMap } from 'yaml'
import { z } from 'zod'
import { ranksOf } from '../metadata/yaml/order.ts'
import { unwrap } from '../metadata/yaml/schema-path.ts'

/** A part of a text that is to be another. */
interface Change {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * A YAML file's text with the fields of its maps in the order of the schema; the same text where
 * they are. A field of the outermost map keeps the comments above it. Undefined where a map further
 * in has comments, which could belong to anything.
 */
export function inOrder(text: string, schema: z.ZodType): string | undefined {
  const { contents } = parseDocument(text)
  if (!isMap(contents)) return text
  const changes = innerChanges(text, contents, schema)
  if (changes === undefined) return undefined
  const inner = changes
    .sort((a, b) => b.start - a.start)
    .reduce((all, { start, end, text: part }) => all.slice(0, start) + part + all.slice(end), text)
  return outermost(inner, schema)
}

type Pairs = readonly Pair<Node, Node | null>[]

function pairsOf(map: YAMLMap): Pairs {
  return (map as YAMLMap<Node, Node | null>).items
}

/** The outermost map, by whole lines: each field with the comments right above it. */
function outermost(text: string, schema: z.ZodType): string {
  const { contents } = parseDocument(text)
  if (!isMap(contents) || contents.flow === true) return text
  const pairs = pairsOf(contents)
  const order = orderOf(pairs, schema)
  if (order === undefined) return text
  const starts = pairs.map(({ key }, at) => startOf(text, key.range?.[0] ?? 0, at === 0))
  const whole = text.endsWith('\n') ? text : `${text}\n`
  const parts = starts.map((start, at) => whole.slice(start, starts[at + 1] ?? whole.length))
  return whole.slice(0, starts[0]) + order.map((at) => parts[at]).join('')
}

/**
 * Where the lines of a field begin: with the comments right above it. Above the first one, a
 * comment that a blank line follows belongs to the file.
 */
function startOf(text: string, key: number, isFirst: boolean): number {
  let start = text.lastIndexOf('\n', key - 1) + 1
  while (start > 0) {
    const before = text.lastIndexOf('\n', start - 2) + 1
    const line = text.slice(before, start)
    if (!line.startsWith('#')) break
    // The first lines of a file are about the whole.
    if (isFirst && before === 0 && start !== key) return isHeader(text, start) ? start : before
    start = before
  }
  return start
}

function isHeader(text: string, end: number): boolean {
  return text.slice(end).startsWith('\n')
}

/** Changes of the maps in a map's values. Undefined where one cannot be changed. */
function innerChanges(text: string, map: YAMLMap, schema: z.ZodType): Change[] | undefined {
  const type = unwrap(schema, map.toJSON())
  if (!(type instanceof z.ZodObject)) return []
  const all = pairsOf(map).map(({ key, value }) => {
    const field = isScalar(key)
      ? (type.shape[String(key.value)] as z.ZodType | undefined)
      : undefined
    return field === undefined || value === null ? [] : changesIn(text, value, field)
  })
  return joined(all)
}

function changesIn(text: string, node: Node, schema: z.ZodType): Change[] | undefined {
  if (isSeq(node)) {
    const type = unwrap(schema, node.toJSON())
    if (!(type instanceof z.ZodArray)) return []
    const element = type.element as z.ZodType
    return joined((node.items as Node[]).map((item) => changesIn(text, item, element)))
  }
  if (!isMap(node)) return []
  const inner = innerChanges(text, node, schema)
  if (inner === undefined) return undefined
  const order = orderOf(pairsOf(node), schema)
  if (order === undefined) return inner
  const [start, end] = node.range ?? [0, 0]
  // Fields of a map whose fields change places are put there as they are.
  if (inner.length > 0 || hasComment(text.slice(start, end))) return undefined
  return swapped(text, pairsOf(node), order)
}

/** The fields of a map, each in the place of another. */
function swapped(text: string, pairs: Pairs, order: readonly number[]): Change[] {
  const ranges = pairs.map(({ key, value }) => {
    const [start = 0, keyEnd = 0] = key.range ?? []
    const end = value?.range?.[1] ?? keyEnd
    return { start, end: start + text.slice(start, end).trimEnd().length }
  })
  return ranges.map(({ start, end }, at) => {
    const from = ranges[order[at] ?? at]
    return { start, end, text: text.slice(from?.start, from?.end) }
  })
}

/** Indices of fields in the order of the schema; undefined where they are in it. */
function orderOf(pairs: Pairs, schema: z.ZodType): number[] | undefined {
  const value = Object.fromEntries(pairs.map(({ key }) => [nameOf(key), null]))
  const type = unwrap(schema, value)
  if (!(type instanceof z.ZodObject)) return undefined
  const ranks = ranksOf(type)
  const own = pairs.map(({ key }) => ranks.get(nameOf(key)))
  // What the schema does not know has no place.
  if (own.some((rank) => rank === undefined)) return undefined
  const order = own.map((_, at) => at).sort((a, b) => (own[a] ?? 0) - (own[b] ?? 0) || a - b)
  return order.every((from, at) => from === at) ? undefined : order
}

function nameOf(key: Node): string {
  return isScalar(key) ? String(key.value) : ''
}

function hasComment(text: string): boolean {
  return /(^|\s)#/m.test(text)
}

function joined(all: readonly (Change[] | undefined)[]): Change[] | undefined {
  return all.includes(undefined) ? undefined : all.flatMap((changes) => changes ?? [])
}
