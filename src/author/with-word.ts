import { basename } from 'node:path'
import { amendSchema, recipeSchema } from '../metadata/format/schema.ts'
import type { Change } from '../metadata/tree/statements.ts'
import { withElement } from './yaml-text.ts'

/** Lists of a recipe that commands add to. */
type List = 'config' | 'inputs'

/** What a file of a recipe or amendment holds, as far as it matters here. */
interface Stated extends Partial<Record<List, unknown>> {
  readonly extends?: unknown
  readonly set?: Partial<Record<List, unknown>>
}

/**
 * Adds a word to a list in the text of a recipe or amendment: to the list that the file states or
 * sets, otherwise to the one that it appends. Undefined as for {@link withElement}.
 */
export function withWord({ yaml }: Change, list: List, text: string): string | undefined {
  const stated = yaml.value as Stated
  const isAmendment = basename(yaml.file) === 'amend.yaml'
  const { shape } = isAmendment ? amendSchema : recipeSchema
  const operators = recipeSchema.shape
  const [top, set, append] = [
    Object.keys(shape),
    Object.keys(operators.set.unwrap().shape),
    Object.keys(operators.append.unwrap().shape),
  ]
  if (stated[list] !== undefined || (!isAmendment && stated.extends === undefined))
    return withElement(yaml.text, { path: [list], orders: [top], text })
  if (stated.set?.[list] !== undefined)
    return withElement(yaml.text, { path: ['set', list], orders: [top, set], text })
  return withElement(yaml.text, { path: ['append', list], orders: [top, append], text })
}
