import { z } from 'zod'
import type { At, Path, SourceDocument } from './yaml-file.ts'
import type { Faults } from './faults.ts'
import { suggestion } from './suggest.ts'

/** Faults that are reported of one map or file: who gets more has another file in mind. */
const MAX_FAULTS = 50

/**
 * A document's value as `schema` types it; undefined after noting every fault: `unknown-field`,
 * `missing-field`, `wrong-type`, `bad-value`, `field-order`. `what` names the kind of file in
 * messages. `fallback` stands for the value of an empty file.
 */
export function validate<T extends z.ZodType>(
  document: SourceDocument,
  schema: T,
  what: string,
  faults: Faults,
  fallback?: unknown,
): z.infer<T> | undefined {
  const value = document.value ?? fallback
  const result = schema.safeParse(value)
  if (!result.success)
    for (const issue of result.error.issues.slice(0, MAX_FAULTS))
      report(issue, [], { document, value, schema, what, faults })
  const misplaced = outOfOrder(value, schema)
  if (misplaced !== undefined)
    reportOrder({ document, path: misplaced.path }, misplaced.before, what, faults)
  return result.success && misplaced === undefined ? result.data : undefined
}

interface Context {
  readonly document: SourceDocument
  readonly value: unknown
  readonly schema: z.ZodType
  readonly what: string
  readonly faults: Faults
}

function report(issue: z.core.$ZodIssue, prefix: Path, context: Context): void {
  const { document, what, faults } = context
  const path = [...prefix, ...(issue.path as Path)]
  const shown = showPath(path)
  if (issue.code === 'invalid_union') return reportUnion(issue, path, context)
  if (issue.code === 'unrecognized_keys') {
    const known = fieldNames(schemaAt(context.schema, path, context.value))
    for (const key of issue.keys.slice(0, MAX_FAULTS)) {
      faults.add(
        'unknown-field',
        `Cannot read ${what}: unknown field "${showPath([...path, key])}"`,
        document.placeOfKey([...path, key]),
        suggestion(key, known) ?? `Known fields: ${known.join(', ')}`,
      )
    }
    return
  }
  if (issue.code === 'invalid_key') {
    const reason = issue.issues[0]?.message ?? 'is not allowed'
    return faults.add(
      'bad-value',
      `Cannot read ${what}: key "${shown}" ${reason}`,
      document.placeOfKey(path),
    )
  }
  const value = valueAt(context.value, path)
  if (issue.code === 'invalid_type' && value === undefined) {
    return faults.add(
      'missing-field',
      `Cannot read ${what}: field "${shown}" is missing`,
      document.place(path.slice(0, -1)),
    )
  }
  if (issue.code === 'invalid_type' && issue.expected !== 'int') {
    const subject = path.length === 0 ? 'it' : `"${shown}"`
    const hint =
      issue.expected === 'string' && ['number', 'boolean'].includes(typeof value)
        ? `Write it in quotes: '${document.textOf(path)}'`
        : undefined
    return faults.add(
      'wrong-type',
      `Cannot read ${what}: ${subject} must be ${typeName(issue.expected)}, but is ${nameOf(value)}`,
      value === null ? document.placeOfKey(path) : document.place(path),
      hint,
    )
  }
  faults.add('bad-value', `Cannot read ${what}: "${shown}" ${issue.message}`, document.place(path))
}

/**
 * The branch of a union that was meant is the one that knows a field of the value that the others
 * lack.
 */
function reportUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, context: Context): void {
  const value = valueAt(context.value, path)
  const isTree = typeof value === 'object' && value !== null && 'tree' in value
  for (const inner of issue.errors[isTree ? 1 : 0] ?? []) report(inner, path, context)
}

function reportOrder(at: At, before: string, what: string, faults: Faults): void {
  const name = showPath(at.path)
  faults.add(
    'field-order',
    `Cannot read ${what}: field "${name}" is out of order`,
    at.document.placeOfKey(at.path),
    `Move it above "${before}"`,
  )
}

/** The first field that stands after one that the schema lists later, and the first of those. */
function outOfOrder(value: unknown, schema: z.ZodType): { path: Path; before: string } | undefined {
  const type = unwrap(schema, value)
  if (type instanceof z.ZodArray && Array.isArray(value)) {
    const element = type.element as z.ZodType
    if (element instanceof z.ZodString) return undefined
    for (const [index, item] of value.entries()) {
      const found = outOfOrder(item, element)
      if (found !== undefined) return { path: [index, ...found.path], before: found.before }
    }
  }
  if (!(type instanceof z.ZodObject) || !isMapping(value)) return undefined
  const ranks = ranksOf(type)
  let last = -1
  for (const [key, inner] of Object.entries(value)) {
    const rank = ranks.get(key)
    if (rank === undefined) continue
    if (rank < last)
      return {
        path: [key],
        before: Object.keys(value).find((other) => (ranks.get(other) ?? -1) > rank) ?? key,
      }
    last = rank
    if (typeof inner !== 'object') continue
    const found = outOfOrder(inner, type.shape[key] as z.ZodType)
    if (found !== undefined) return { path: [key, ...found.path], before: found.before }
  }
  return undefined
}

const rankCache = new WeakMap<z.ZodObject, ReadonlyMap<string, number>>()

function ranksOf(type: z.ZodObject): ReadonlyMap<string, number> {
  let ranks = rankCache.get(type)
  if (ranks === undefined) {
    ranks = new Map(Object.keys(type.shape).map((key, rank) => [key, rank]))
    rankCache.set(type, ranks)
  }
  return ranks
}

/** The schema without `optional`, and of a union the branch that was meant. */
function unwrap(schema: z.ZodType, value: unknown): z.ZodType {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap() as z.ZodType, value)
  if (schema instanceof z.ZodUnion) {
    const isTree = typeof value === 'object' && value !== null && 'tree' in value
    return unwrap(schema.options[isTree ? 1 : 0] as z.ZodType, value)
  }
  return schema
}

function schemaAt(schema: z.ZodType, path: Path, value: unknown): z.ZodType {
  let [type, at] = [unwrap(schema, value), value]
  for (const step of path) {
    at = valueAt(at, [step])
    if (type instanceof z.ZodObject) type = unwrap(type.shape[step] as z.ZodType, at)
    else if (type instanceof z.ZodArray) type = unwrap(type.element as z.ZodType, at)
  }
  return type
}

function fieldNames(type: z.ZodType): string[] {
  return type instanceof z.ZodObject ? Object.keys(type.shape) : []
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string | number, unknown>)[step]
  }
  return at
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function showPath(path: Path): string {
  return path
    .map((step, at) =>
      typeof step === 'number' ? `[${String(step)}]` : at === 0 ? step : `.${step}`,
    )
    .join('')
}

/** A type that a schema wants, in words. */
export function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    array: 'a list',
    object: 'a map',
    record: 'a map',
    boolean: 'true or false',
    number: 'a number',
    int: 'a whole number',
  }
  return names[expected] ?? expected
}

function nameOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'string':
      return 'a text'
    case 'object':
      return 'a map'
    case 'number':
      return `the number ${String(value)}`
    default:
      return `the ${typeof value} ${JSON.stringify(value)}`
  }
}
