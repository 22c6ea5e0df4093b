import type { MetadataCode } from '../../base/codes.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { circle } from '../tree/circle.ts'
import type { RecipeStatement, Statements } from '../tree/statements.ts'
import type { Faults } from '../yaml/faults.ts'
import { suggestion } from '../yaml/suggest.ts'
import { merge, type Draft } from './merge.ts'

/** What recipes are merged with. */
interface Merging {
  readonly statements: Statements
  readonly drafts: Map<RecipeId, Draft | undefined>
  readonly faults: Faults
}

/**
 * Merges every recipe: the one that it extends (amended and merged itself), its own fields, then
 * the amendments of later layers in their order. A recipe that has a fault, or extends one that
 * has, is left out. Faults: `unknown-recipe`, `layer-order`, `extends-cycle`, those of merging.
 */
export function mergeAll(statements: Statements, faults: Faults): ReadonlyMap<RecipeId, Draft> {
  const drafts = new Map<RecipeId, Draft | undefined>()
  for (const id of statements.recipes.keys()) draftOf(id, [], { statements, drafts, faults })
  return new Map(
    [...drafts].flatMap(([id, draft]) => (draft === undefined ? [] : [[id, draft] as const])),
  )
}

/** `chain` holds the recipes that extend this one, directly or not. */
function draftOf(id: RecipeId, chain: readonly RecipeId[], merging: Merging): Draft | undefined {
  const { statements, drafts, faults } = merging
  if (drafts.has(id)) return drafts.get(id)
  const statement = statements.recipes.get(id)
  let draft: Draft | undefined
  if (statement !== undefined) {
    if (statement.extends === undefined) draft = merge(undefined, statement, faults)
    else {
      const base = baseOf(statement, statement.extends, chain, merging)
      if (base !== undefined) draft = merge(base, statement, faults)
    }
  }
  for (const amendment of statements.amendments.get(id) ?? [])
    if (draft !== undefined) draft = merge(draft, amendment, faults)
  drafts.set(id, draft)
  return draft
}

function baseOf(
  statement: RecipeStatement,
  base: RecipeId,
  chain: readonly RecipeId[],
  merging: Merging,
): Draft | undefined {
  const path = [...chain, statement.id]
  const fault = faultOf(statement, base, path, merging)
  if (fault === undefined) return draftOf(base, path, merging)
  const { code, message, hint } = fault
  merging.faults.add(code, message, statement.yaml.position(['extends']), hint)
  return undefined
}

interface ExtendsFault {
  readonly code: MetadataCode
  readonly message: string
  readonly hint: string | undefined
}

/** Why a recipe cannot extend `base`, or undefined; all members of a circle count as merged. */
function faultOf(
  { id, layer }: RecipeStatement,
  base: RecipeId,
  path: readonly RecipeId[],
  { statements, drafts }: Merging,
): ExtendsFault | undefined {
  const other = statements.layers.get(base)
  if (other === undefined) {
    const message = `Cannot extend "${base}": there is no such recipe`
    return { code: 'unknown-recipe', message, hint: suggestion(base, statements.recipes.keys()) }
  }
  if (other.rank > layer.rank) {
    const message = `Cannot extend "${base}": layer "${other.name}" comes after "${layer.name}"`
    const hint = 'A recipe names recipes of its own or earlier layers'
    return { code: 'layer-order', message, hint }
  }
  if (!path.includes(base)) return undefined
  for (const member of path.slice(path.indexOf(base))) drafts.set(member, undefined)
  const edges = circle(path, base).join('\n  ')
  const message = `Cannot merge "${id}": recipes extend each other in a circle\n  ${edges}`
  return { code: 'extends-cycle', message, hint: 'Take one of these edges out' }
}
