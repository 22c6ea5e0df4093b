import { z } from 'zod'

/** What the schema says of a field, beside its type. */
export interface FieldMeta {
  readonly description: string
  /** Whether a change of the field's expanded value makes a new key. */
  readonly entersKey?: boolean
  /** Value of a field that is left out; for readers only. */
  readonly default?: string | number | boolean
}

/** A field, with what the schema says of it. */
export function field<T extends z.ZodType>(type: T, meta: FieldMeta): T {
  return type.meta({ ...meta })
}

/** A description that is longer than a line. */
export function described(...lines: readonly string[]): string {
  return lines.join(' ')
}

/** A text of one form; messages say what is `wanted`. */
export function text(wanted: string, pattern: RegExp): z.ZodString {
  return z.string().regex(pattern, { error: `must be ${wanted}` })
}
