import type { MetadataCode } from '../../base/codes.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { RecipeStatement, Statements } from '../tree/statements.ts'
import type { Style } from '../tree/styles.ts'
import type { Faults } from '../yaml/faults.ts'
import { suggestion } from '../yaml/suggest.ts'
import { listOf, wholeOf, type Draft } from './merge.ts'

/** Fields that name other recipes. */
export type ReferenceField = 'inputs' | 'needs' | 'contents'

/**
 * The recipes that a field names, once each. Faults: `unknown-recipe`, `layer-order`,
 * `self-reference`, `duplicate-element`.
 */
export function referencesOf(
  field: ReferenceField,
  statement: RecipeStatement,
  draft: Draft,
  { statements, faults }: { readonly statements: Statements; readonly faults: Faults },
): RecipeId[] {
  const seen = new Set<RecipeId>()
  for (const { value, at } of listOf(draft, field)) {
    const id = value as RecipeId
    const fault = faultOf(id, statement, statements)
    if (fault !== undefined) faults.add(fault.code, fault.message, at.position(), fault.hint)
    if (seen.has(id)) {
      const message = `Cannot use recipe "${id}" twice in "${field}"`
      faults.add('duplicate-element', message, at.position(), 'Keep one of them')
    }
    seen.add(id)
  }
  return [...seen]
}

interface ReferenceFault {
  readonly code: MetadataCode
  readonly message: string
  readonly hint: string | undefined
}

/** Why a recipe may not use another one, or undefined. */
function faultOf(
  used: RecipeId,
  { id, layer }: RecipeStatement,
  { layers }: Statements,
): ReferenceFault | undefined {
  const other = layers.get(used)
  if (other === undefined) {
    const message = `Cannot use recipe "${used}": there is no such recipe`
    return { code: 'unknown-recipe', message, hint: suggestion(used, layers.keys()) }
  }
  if (other.rank > layer.rank) {
    const reason = `layer "${other.name}" comes after "${layer.name}"`
    const message = `Cannot use recipe "${used}" in "${id}": ${reason}`
    const hint = 'A recipe names recipes of its own or earlier layers'
    return { code: 'layer-order', message, hint }
  }
  if (used !== id) return undefined
  const message = `Cannot use recipe "${used}" in itself`
  const hint = 'A tool that builds itself needs an earlier one from another layer'
  return { code: 'self-reference', message, hint }
}

/** Notes `contents-without-image` for fields that only an image can have. */
export function checkContents(draft: Draft, style: Style, faults: Faults): void {
  if (style.image) return
  const stated = [
    ['contents', listOf(draft, 'contents')[0]?.at.parent()],
    ['closure', wholeOf(draft, 'closure')?.at],
  ] as const
  for (const [field, at] of stated) {
    if (at === undefined) continue
    const message = `Cannot use "${field}": style "${style.name}" makes no image`
    const hint = 'Use a style with "image: true", or "inputs"'
    faults.add('contents-without-image', message, at.positionOfKey(), hint)
  }
}
