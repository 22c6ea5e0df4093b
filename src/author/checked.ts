import type { z } from 'zod'
import { FixpointError } from '../base/error.ts'

/**
 * Checks a text that is to be a name or a version in a recipe, by the recipes' own schema. Fails
 * with `bad-name`; `what` says what it is for.
 */
export function requireText(schema: z.ZodType<string>, text: string, what: string): void {
  const { error } = schema.safeParse(text)
  if (error === undefined) return
  const reason = error.issues[0]?.message ?? 'it cannot be one'
  throw new FixpointError('bad-name', `Cannot use "${text}" as ${what}: ${reason}`)
}
