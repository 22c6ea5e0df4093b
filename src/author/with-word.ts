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

/** The fields of a recipe's or amendment's file and of the maps in it, in their order. */
export function ordersIn(file: string): Readonly<Record<'top' | 'set' | 'append', string[]>> {
  const { set, append } = recipeSchema.shape
  return {
    top: Object.keys((isAmendment(file) ? amendSchema : recipeSchema).shape),
    set: Object.keys(set.unwrap().shape),
    append: Object.keys(append.unwrap().shape),
  }
}

function isAmendment(file: string): boolean {
  return basename(file) === 'amend.yaml'
}

/**
 * Adds a word to a list in the text of a recipe or amendment: to the list that the file states or
 * sets, otherwise to the one that it appends. Undefined as for {@link withElement}.
 */
export function withWord({ yaml }: Change, list: List, text: string): string | undefined {
  const stated = yaml.value as Stated
  const { top, set, append } = ordersIn(yaml.file)
  if (stated[list] !== undefined || (!isAmendment(yaml.file) && stated.extends === undefined))
    return withElement(yaml.text, { path: [list], orders: [top], text })
  if (stated.set?.[list] !== undefined)
    return withElement(yaml.text, { path: ['set', list], orders: [top, set], text })
  return withElement(yaml.text, { path: ['append', list], orders: [top, append], text })
}
