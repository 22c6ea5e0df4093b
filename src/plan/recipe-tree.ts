import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'
import type { Metadata } from '../metadata/model.ts'
import { recipeOf, usedBy } from './graph.ts'

/** One line of a tree of recipes. */
export interface TreeLine {
  readonly recipe: RecipeId
  /** 0 for the recipe that was asked for. */
  readonly depth: number
  /** What it is drawn with: the branches to the left of the recipe. */
  readonly branches: string
  /** True when it has branches that an earlier line already shows. */
  readonly repeated: boolean
}

/** What a tree of recipes shows. */
export interface TreeOptions {
  /** Show what uses a recipe, not what it uses. Default: false. */
  readonly reverse?: boolean
  /** Levels below the recipe; default: all. */
  readonly depth?: number
}

/**
 * What a recipe states that it uses, each of those likewise, sorted by code unit. A recipe's own
 * branches are shown once, where it comes first.
 */
export function recipeTree(
  metadata: Metadata,
  root: RecipeId,
  { reverse = false, depth: deepest = Infinity }: TreeOptions = {},
): TreeLine[] {
  const next = reverse ? usersIn(metadata) : (id: RecipeId) => statedBy(metadata, id)
  const expanded = new Set<RecipeId>()
  const lines: TreeLine[] = []
  const add = (recipe: RecipeId, depth: number, own: string, below: string): void => {
    const used = depth < deepest ? next(recipe) : []
    const repeated = used.length > 0 && expanded.has(recipe)
    lines.push({ recipe, depth, branches: own, repeated })
    if (repeated) return
    if (used.length > 0) expanded.add(recipe)
    for (const [at, one] of used.entries()) {
      const last = at === used.length - 1
      add(one, depth + 1, `${below}${last ? '`-- ' : '|-- '}`, `${below}${last ? '    ' : '|   '}`)
    }
  }
  add(root, 0, '', '')
  return lines
}

/** Inputs, contents and needs as written. */
function statedBy(metadata: Metadata, id: RecipeId): RecipeId[] {
  const recipe = recipeOf(metadata, id)
  return [...new Set([...usedBy(recipe), ...recipe.needs])].sort(byCodeUnit)
}

function usersIn(metadata: Metadata): (id: RecipeId) => RecipeId[] {
  const users = new Map<RecipeId, RecipeId[]>()
  for (const user of [...metadata.recipes.keys()].sort(byCodeUnit))
    for (const used of statedBy(metadata, user)) users.set(used, [...(users.get(used) ?? []), user])
  return (id) => users.get(id) ?? []
}
