import { z } from 'zod'
import type { Faults } from './faults.ts'
import { isMap, showPath, unwrap } from './schema-path.ts'
import type { Path, YamlFile } from './yaml-file.ts'

/** Whether a file's fields stand in the order of the schema, after noting `field-order`. */
export function checkOrder(
  yaml: YamlFile,
  schema: z.ZodType,
  what: string,
  faults: Faults,
): boolean {
  const found = outOfOrder(yaml.value, schema)
  if (found === undefined) return true
  const message = `Cannot read ${what}: field "${showPath(found.path)}" is out of order`
  const hint = `Move it above "${found.before}"`
  faults.add('field-order', message, yaml.positionOfKey(found.path), hint)
  return false
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
  if (!(type instanceof z.ZodObject) || !isMap(value)) return undefined
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

/** Ranks of the fields of a map, in the order that the schema lists them. */
export function ranksOf(type: z.ZodObject): ReadonlyMap<string, number> {
  let ranks = rankCache.get(type)
  if (ranks === undefined) {
    ranks = new Map(Object.keys(type.shape).map((key, rank) => [key, rank]))
    rankCache.set(type, ranks)
  }
  return ranks
}
