import { counted, formatCount } from '../../../base/format.ts'
import type { RecipeId } from '../../../base/recipe-id.ts'
import { usedBy } from '../../../plan/graph.ts'
import { draw, type Drawing } from '../drawing.ts'
import type { Facts } from '../facts.ts'
import type { Name } from '../names.ts'
import type { Rules } from '../rules.ts'

/** A recipe as a row of a table. */
interface Row {
  readonly name: Name
  readonly summary: string
  readonly uses: readonly Name[]
  readonly users: number
}

/** A recipe as the page's script reads it. */
interface Entry {
  readonly id: string
  readonly version: string
  readonly summary: string
  readonly tone: string
  /** Numbers of the recipes that its action uses. */
  readonly uses: readonly number[]
}

/** What the page says of dependencies. */
export interface Dependencies {
  readonly absent: string | undefined
  readonly lead: string
  readonly spoken: string
  readonly drawing: Drawing | undefined
  readonly rows: readonly Row[]
  readonly entries: readonly Entry[]
}

/** What uses what. */
export function dependencies({ layers, names }: Facts, rules: Rules): Dependencies {
  const nodes = layers?.nodes ?? []
  const uses = new Map(nodes.map((node) => [node.recipe.id, new Set(usedBy(node))]))
  const usersOf = (id: RecipeId): number => [...uses.values()].filter((all) => all.has(id)).length
  const rows = nodes.flatMap(({ recipe: { id, summary } }) => {
    const name = names.of(id)
    if (name === undefined) return []
    return [{ name, summary, uses: names.some(uses.get(id) ?? []), users: usersOf(id) }]
  })
  const drawing = layers && draw(nodes, names, rules)
  const edges = [...uses.values()].reduce((sum, all) => sum + all.size, 0)
  return {
    absent:
      layers === undefined ? 'The layers in effect do not say what this image uses.' : undefined,
    lead:
      `${counted(nodes.length, 'recipe')} with ${formatCount(edges)} dependencies, of which ` +
      `${formatCount(drawing?.implied ?? 0)} follow from others and are not drawn.`,
    spoken:
      `Dependency graph of ${counted(nodes.length, 'recipe')}, from what is built first on the ` +
      'left to the image on the right. The table below says the same.',
    drawing,
    rows,
    entries: names.all.map(({ id, version, tone }) => ({
      id,
      version,
      summary: rows.find(({ name }) => name.id === id)?.summary ?? '',
      tone,
      uses: names.some(uses.get(id) ?? []).map(({ number }) => number),
    })),
  }
}
