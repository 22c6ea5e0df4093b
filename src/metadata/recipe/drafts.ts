import type { RecipeId } from '../../base/events.ts'
import type { Faults } from '../yaml/faults.ts'
import { merge, type Draft } from './merge.ts'
import type { RecipeStatement, Statements } from '../tree/statements.ts'
import { suggestion } from '../yaml/suggest.ts'

/**
 * Merges every recipe: what it extends (amended and merged itself), its own fields, then the
 * amendments of later layers in their order. A recipe that has a fault, or extends one that has, is
 * left out. Faults: `unknown-recipe`, `layer-order`, `extends-cycle`, those of merging.
 */
export function mergeAll(statements: Statements, faults: Faults): ReadonlyMap<RecipeId, Draft> {
  const drafts = new Map<RecipeId, Draft | undefined>()
  for (const id of statements.recipes.keys()) draftOf(id, statements, drafts, [], faults)
  return new Map(
    [...drafts].flatMap(([id, draft]) => (draft === undefined ? [] : [[id, draft] as const])),
  )
}

function draftOf(
  id: RecipeId,
  statements: Statements,
  drafts: Map<RecipeId, Draft | undefined>,
  chain: readonly RecipeId[],
  faults: Faults,
): Draft | undefined {
  if (drafts.has(id)) return drafts.get(id)
  const statement = statements.recipes.get(id)
  let draft: Draft | undefined
  if (statement !== undefined) {
    if (statement.extends === undefined) draft = merge(undefined, statement, faults)
    else {
      const base = baseOf(statement, statement.extends, statements, drafts, chain, faults)
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
  statements: Statements,
  drafts: Map<RecipeId, Draft | undefined>,
  chain: readonly RecipeId[],
  faults: Faults,
): Draft | undefined {
  const { id, document, layer } = statement
  const baseLayer = statements.layers.get(base)
  if (baseLayer === undefined) {
    faults.add(
      'unknown-recipe',
      `Cannot extend "${base}": there is no such recipe`,
      document.place(['extends']),
      suggestion(base, statements.recipes.keys()),
    )
    return undefined
  }
  if (baseLayer.rank > layer.rank) {
    faults.add(
      'layer-order',
      `Cannot extend "${base}": layer "${baseLayer.name}" comes after "${layer.name}"`,
      document.place(['extends']),
      'A recipe names recipes of its own or earlier layers',
    )
    return undefined
  }
  const path = [...chain, id]
  if (path.includes(base)) {
    const cycle = path.slice(path.indexOf(base))
    const edges = cycle.map((from, at) => `${from} -> ${cycle[at + 1] ?? base} (extends)`)
    faults.add(
      'extends-cycle',
      `Cannot merge "${id}": recipes extend each other in a circle\n  ${edges.join('\n  ')}`,
      document.place(['extends']),
      'Take one of these edges out',
    )
    for (const member of cycle) drafts.set(member, undefined)
    return undefined
  }
  return draftOf(base, statements, drafts, path, faults)
}
