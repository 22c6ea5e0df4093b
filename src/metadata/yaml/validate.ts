import { z } from 'zod'
import type { Faults } from './faults.ts'
import { branchOf, fieldNames, schemaAt, showPath, unwrap, valueAt } from './schema-path.ts'
import { suggestion } from './suggest.ts'
import type { Path, YamlFile } from './yaml-file.ts'

/** Faults that one map or file reports: an author of more has another kind of file in mind. */
const MAX_FAULTS = 50

/**
 * A file's value as `schema` types it; an empty file counts as an empty map. Undefined after noting
 * every fault: `unknown-field`, `missing-field`, `wrong-type`, `bad-value`. `what` names the kind
 * of file in messages.
 */
export function validate<T extends z.ZodType>(
  yaml: YamlFile,
  schema: T,
  what: string,
  faults: Faults,
): z.infer<T> | undefined {
  const value = yaml.value ?? {}
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues.slice(0, MAX_FAULTS))
    report(issue, [], { yaml, value, schema, what, faults })
  return undefined
}

interface Context {
  readonly yaml: YamlFile
  readonly value: unknown
  readonly schema: z.ZodType
  readonly what: string
  readonly faults: Faults
}

function report(issue: z.core.$ZodIssue, prefix: Path, context: Context): void {
  const { yaml, what, faults } = context
  const path = [...prefix, ...(issue.path as Path)]
  if (issue.code === 'invalid_union') return reportUnion(issue, path, context)
  if (issue.code === 'unrecognized_keys') return reportUnknown(issue.keys, path, context)
  const shown = showPath(path)
  if (issue.code === 'invalid_key') {
    const reason = issue.issues[0]?.message ?? 'is not allowed'
    const message = `Cannot read ${what}: key "${shown}" ${reason}`
    return faults.add('bad-value', message, yaml.positionOfKey(path))
  }
  const value = valueAt(context.value, path)
  if (issue.code !== 'invalid_type' || (issue.expected === 'int' && value !== undefined)) {
    const message = `Cannot read ${what}: "${shown}" ${issue.message}`
    return faults.add('bad-value', message, yaml.position(path))
  }
  if (value === undefined) {
    const message = `Cannot read ${what}: field "${shown}" is missing`
    return faults.add('missing-field', message, yaml.position(path.slice(0, -1)))
  }
  const subject = path.length === 0 ? 'it' : `"${shown}"`
  const reason = `must be ${typeName(issue.expected)}, but is ${nameOf(value)}`
  const position = value === null ? yaml.positionOfKey(path) : yaml.position(path)
  const quoted = issue.expected === 'string' && ['number', 'boolean'].includes(typeof value)
  const hint = quoted ? `Write it in quotes: '${yaml.textOf(path)}'` : undefined
  faults.add('wrong-type', `Cannot read ${what}: ${subject} ${reason}`, position, hint)
}

function reportUnknown(keys: readonly string[], path: Path, context: Context): void {
  const { yaml, what, faults, schema, value } = context
  const known = fieldNames(unwrap(schemaAt(schema, path, value), valueAt(value, path)))
  for (const key of keys.slice(0, MAX_FAULTS)) {
    const here = [...path, key]
    const message = `Cannot read ${what}: unknown field "${showPath(here)}"`
    const hint = suggestion(key, known) ?? `Known fields: ${known.join(', ')}`
    faults.add('unknown-field', message, yaml.positionOfKey(here), hint)
  }
}

/** Reports the faults of the branch that the value was meant for. */
function reportUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, context: Context): void {
  const union = schemaAt(context.schema, path, context.value)
  const branch = union instanceof z.ZodUnion ? branchOf(union, valueAt(context.value, path)) : 0
  for (const inner of issue.errors[branch] ?? []) report(inner, path, context)
}

/** A type that a schema wants, in words. */
function typeName(expected: string): string {
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
      return `the number ${value}`
    default:
      return `the ${typeof value} ${JSON.stringify(value)}`
  }
}
