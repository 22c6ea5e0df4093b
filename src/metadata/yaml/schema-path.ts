import { z } from 'zod'
import type { Path } from './yaml-file.ts'

/** A schema without `optional`; of a union the branch that the value was meant for. */
export function unwrap(schema: z.ZodType, value: unknown): z.ZodType {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap() as z.ZodType, value)
  if (!(schema instanceof z.ZodUnion)) return schema
  return unwrap(schema.options[branchOf(schema, value)] as z.ZodType, value)
}

/**
 * Index of the branch of a union that the value was meant for: the last one that alone knows a
 * field of the value, or else the first.
 */
export function branchOf({ options }: z.ZodUnion, value: unknown): number {
  const branches = options.map((option) => fieldNames(option as z.ZodType))
  const found = branches.findLastIndex((names) =>
    names.some(
      (name) =>
        isMap(value) &&
        Object.hasOwn(value, name) &&
        branches.filter((others) => others.includes(name)).length === 1,
    ),
  )
  return Math.max(0, found)
}

/** The schema of what is at `path` of a value, as it is stated: maybe optional, maybe a union. */
export function schemaAt(schema: z.ZodType, path: Path, value: unknown): z.ZodType {
  let [type, at] = [schema, value]
  for (const step of path) {
    const outer = unwrap(type, at)
    at = valueAt(at, [step])
    if (outer instanceof z.ZodObject) type = outer.shape[step] as z.ZodType
    else if (outer instanceof z.ZodArray) type = outer.element as z.ZodType
  }
  return type
}

/** Names of a map's fields; none for other schemas. */
export function fieldNames(type: z.ZodType): string[] {
  return type instanceof z.ZodObject ? Object.keys(type.shape) : []
}

/** The value at `path`, or undefined when there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string | number, unknown>)[step]
  }
  return at
}

/** Whether a value is a map of YAML. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A path as people write it: `sources[0].from`. */
export function showPath(path: Path): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join('')
}
