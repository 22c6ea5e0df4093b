/** Tests of the fields of an object, by name. */
export type Shape<T> = { readonly [Field in keyof T]-?: (value: unknown) => boolean }

/**
 * True when `value` is an object whose fields pass their tests; other fields do not matter. For
 * files that the engine itself wrote, with a check that finds damage: loading zod takes longer than
 * a build with nothing to do.
 */
export function hasShape<T extends object>(value: unknown, shape: Shape<T>): value is T {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  return Object.entries<(field: unknown) => boolean>(shape).every(([name, test]) =>
    test(Object.hasOwn(fields, name) ? fields[name] : undefined),
  )
}

export function isText(value: unknown): boolean {
  return typeof value === 'string'
}

export function isNumber(value: unknown): boolean {
  return Number.isFinite(value)
}

/** A test for whole numbers from 0 to `most`. */
export function isCount(most = Number.MAX_SAFE_INTEGER): (value: unknown) => boolean {
  return (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most
}
