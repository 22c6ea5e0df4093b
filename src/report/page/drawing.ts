import type { RecipeId } from '../../base/recipe-id.ts'
import { usedBy, type Node } from '../../plan/graph.ts'
import { layOutGraph, type Point, type Size } from './layered.ts'
import type { Name, Names } from './names.ts'
import { decimal, type Rules } from './rules.ts'

/** A recipe in the drawing; sizes in the drawing's units, about a pixel each. */
export interface DrawnNode extends Name {
  readonly x: string
  readonly y: string
  readonly width: string
  readonly height: string
  readonly middle: string
  readonly base: string
}

/** A line from what is used to what uses it. */
export interface DrawnEdge {
  readonly from: number
  readonly to: number
  readonly path: string
  /** Color of what is used. */
  readonly tone: string
}

/** The dependency graph, drawn from left to right. */
export interface Drawing {
  readonly width: string
  readonly height: string
  /** Id of the whole: it is neither blown up nor made too small to read. */
  readonly frame: string
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
  /** Recipes in rows, each after the rows of all that it uses. */
  readonly levels: readonly { readonly names: readonly Name[] }[]
  /** Edges that others imply, and so are not drawn. */
  readonly implied: number
}

/** Draws what uses what. An edge that follows from others is left out. */
export function draw(nodes: readonly Node[], names: Names, rules: Rules): Drawing {
  const drawn = nodes.flatMap(({ recipe }) => names.of(recipe.id) ?? [])
  const edges = directEdges(nodes).flatMap(([used, user]) => {
    const [from, to] = [names.of(used), names.of(user)]
    return from === undefined || to === undefined ? [] : [{ from, to }]
  })
  const { width, height, middleOf, pointsOf } = layOutGraph(
    new Map(drawn.map((name) => [name.number, sizeOf(name)])),
    edges.map(({ from, to }) => [from.number, to.number] as const),
  )
  return {
    width: decimal(width),
    height: decimal(height),
    frame: rules.add(`min-width:${decimal(0.7 * width)}px;max-width:${decimal(1.2 * width)}px`),
    nodes: drawn.map((name) => place(name, middleOf(name.number))),
    edges: edges.map(({ from: { number: from, tone }, to: { number: to } }) => {
      return { from, to, path: pathOf(pointsOf(from, to)), tone }
    }),
    levels: levelsOf(nodes).map((ids) => ({ names: names.some(ids) })),
    implied: nodes.reduce((sum, node) => sum + new Set(usedBy(node)).size, 0) - edges.length,
  }
}

/** Each edge but those between recipes that a longer way joins as well. */
export function directEdges(nodes: readonly Node[]): [from: RecipeId, to: RecipeId][] {
  const below = new Map<RecipeId, Set<RecipeId>>()
  return nodes.flatMap((node) => {
    const { id } = node.recipe
    const uses = [...new Set(usedBy(node))]
    const implied = new Set(uses.flatMap((used) => [...(below.get(used) ?? [])]))
    below.set(id, new Set([...uses, ...implied]))
    return uses.filter((used) => !implied.has(used)).map((used): [RecipeId, RecipeId] => [used, id])
  })
}

/** Recipes in rows: each comes right after the last row of what it uses. */
export function levelsOf(nodes: readonly Node[]): RecipeId[][] {
  const levels: RecipeId[][] = []
  const levelOf = new Map<RecipeId, number>()
  for (const node of nodes) {
    const { id } = node.recipe
    const level = Math.max(-1, ...usedBy(node).map((used) => levelOf.get(used) ?? -1)) + 1
    levelOf.set(id, level)
    levels[level] = [...(levels[level] ?? []), id]
  }
  return levels
}

/** Width of a character of the drawing's font, at most, and height of a box. */
const [CHARACTER, HEIGHT, LONGEST] = [7.2, 24, 28]

function sizeOf({ name }: Name): Size {
  return { width: textOf(name).length * CHARACTER + 20, height: HEIGHT }
}

function place(name: Name, { x, y }: Point): DrawnNode {
  const { width, height } = sizeOf(name)
  return {
    ...name,
    name: textOf(name.name),
    x: decimal(x - width / 2),
    y: decimal(y - height / 2),
    width: decimal(width),
    height: decimal(height),
    middle: decimal(x),
    base: decimal(y + 4.2),
  }
}

/** A name as it fits into a box. */
function textOf(name: string): string {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name
}

/** A smooth line: straight to the middle between two points, and round each point. */
function pathOf(points: readonly Point[]): string {
  const at = ({ x, y }: Point): string => `${decimal(x)} ${decimal(y)}`
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return ''
  const curves = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? last
    const middle = { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q${at(point)} ${at(middle)}`
  })
  return `M${at(first)}${curves.join('')}L${at(last)}`
}
