import { DepGraph, DepGraphCycleError } from 'dependency-graph'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'
import { fetchedSources, type FileSource, type Metadata, type Recipe } from '../metadata/model.ts'

/** A recipe with everything its action uses. */
export interface Node {
  readonly recipe: Recipe
  /** Inputs with the needs of each, transitively; sorted. */
  readonly inputs: readonly RecipeId[]
  /** Contents with the needs of each, transitively; sorted. */
  readonly contents: readonly RecipeId[]
  /**
   * Sources of all that building an image with its closure takes, and of the image itself;
   * undefined for everything else.
   */
  readonly mirror: readonly FileSource[] | undefined
}

/** The recipes that some targets depend on, each after all that it uses. */
export interface Graph {
  readonly metadata: Metadata
  readonly nodes: ReadonlyMap<RecipeId, Node>
}

/** What may be left out of a graph. */
export interface GraphOptions {
  /** `false`: images with their closure come without a mirror of the sources. Default: true. */
  readonly mirrors?: boolean
}

/**
 * The part of the recipes that `targets` need, in an order of building. Fails with `cycle`, which
 * names each edge. Fails with `host-content` for an image that holds an artifact of a host layer:
 * that differs from host to host, so nobody could know the image's key.
 */
export function graphOf(
  metadata: Metadata,
  targets: readonly RecipeId[],
  { mirrors = true }: GraphOptions = {},
): Graph {
  const found = new Map<RecipeId, Node>()
  reachable(targets, (id) => {
    const recipe = recipeOf(metadata, id)
    const node = describeNode(metadata, recipe, mirrors)
    checkContents(metadata, recipe)
    found.set(id, node)
    return usedBy(node)
  })
  return { metadata, nodes: new Map(order(found).map((id) => [id, nodeOf(found, id)])) }
}

/** What an action uses: its inputs and its contents. */
export function usedBy<Input, Content>(user: {
  readonly inputs: readonly Input[]
  readonly contents: readonly Content[]
}): (Input | Content)[] {
  return [...user.inputs, ...user.contents]
}

/** `start`, what `next` names for each of them, and so on; `next` is called once for each. */
export function reachable<T>(start: readonly T[], next: (of: T) => readonly T[]): Set<T> {
  const found = new Set<T>()
  const pending = [...start]
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    if (found.has(one)) continue
    found.add(one)
    pending.push(...next(one))
  }
  return found
}

function describeNode(metadata: Metadata, recipe: Recipe, mirrors: boolean): Node {
  const closure = recipe.closure ? closureOf(metadata, recipe) : undefined
  return {
    recipe,
    inputs: withNeeds(metadata, recipe.inputs),
    contents:
      closure?.filter(({ host }) => !host).map(({ id }) => id) ??
      withNeeds(metadata, recipe.contents),
    mirror: closure !== undefined && mirrors ? fileSources([recipe, ...closure]) : undefined,
  }
}

/** Every recipe that building `recipe` takes, apart from itself; sorted. */
function closureOf(metadata: Metadata, recipe: Recipe): Recipe[] {
  const all = (used: Recipe): RecipeId[] => [...usedBy(used), ...used.needs]
  const ids = reachable(all(recipe), (id) => all(recipeOf(metadata, id)))
  return [...ids].sort(byCodeUnit).map((id) => recipeOf(metadata, id))
}

/** The files that a recipe's own action reads: its sources, and those that its image is to hold. */
export function sourcesOf({ recipe, mirror }: Node): FileSource[] {
  return [...fileSources([recipe]), ...(mirror ?? [])]
}

function fileSources(recipes: readonly Recipe[]): FileSource[] {
  return recipes.flatMap(({ sources }) => fetchedSources(sources))
}

function checkContents(metadata: Metadata, recipe: Recipe): void {
  const fromHost = withNeeds(metadata, recipe.contents).find((id) => recipeOf(metadata, id).host)
  if (fromHost === undefined) return
  throw new FixpointError(
    'host-content',
    `Cannot put "${fromHost}" into image ${recipe.id}: its layer sees the host`,
    {
      position: recipe.origins['contents']?.at(-1),
      hint: 'Name a recipe of a later layer, one that is built without the host',
    },
  )
}

/** Everything in `ids` and what their users also get; sorted. */
function withNeeds(metadata: Metadata, ids: readonly RecipeId[]): RecipeId[] {
  return [...reachable(ids, (id) => recipeOf(metadata, id).needs)].sort(byCodeUnit)
}

function order(nodes: ReadonlyMap<RecipeId, Node>): RecipeId[] {
  const graph = new DepGraph<undefined>()
  const ids = [...nodes.keys()].sort(byCodeUnit)
  for (const id of ids) graph.addNode(id)
  for (const id of ids) {
    for (const used of usedBy(nodeOf(nodes, id))) graph.addDependency(id, used)
  }
  try {
    return graph.overallOrder() as RecipeId[]
  } catch (error) {
    if (error instanceof DepGraphCycleError) throw cycleError(nodes, error.cyclePath as RecipeId[])
    throw error
  }
}

const EARLIER_TOOL = 'A tool that builds itself needs an earlier one from another layer'

function cycleError(nodes: ReadonlyMap<RecipeId, Node>, path: readonly RecipeId[]): FixpointError {
  const edges = path.slice(1).map((to, at) => describeEdge(nodeOf(nodes, path[at] ?? to), to))
  const first = nodeOf(nodes, path[0] ?? ('' as RecipeId)).recipe
  return new FixpointError(
    'cycle',
    `Cannot order the recipes: they depend on each other in a circle\n  ${edges.join('\n  ')}`,
    {
      position: first.origins['inputs']?.at(-1),
      hint: `Take one of these edges out. ${EARLIER_TOOL}`,
    },
  )
}

function describeEdge(from: Node, to: RecipeId): string {
  const { recipe } = from
  const kind = recipe.inputs.includes(to)
    ? 'inputs'
    : recipe.contents.includes(to)
      ? 'contents'
      : 'needs of its inputs'
  return `${recipe.id} -> ${to} (${kind})`
}

/** The recipe `id`; the loader checked that it exists, so a missing one is a bug. */
export function recipeOf(metadata: Metadata, id: RecipeId): Recipe {
  const recipe = metadata.recipes.get(id)
  if (recipe === undefined)
    throw new FixpointError('unloaded-recipe', `Recipe "${id}" is not in the metadata`)
  return recipe
}

/** The node `id` of a graph that is known to hold it. */
export function nodeOf(nodes: ReadonlyMap<RecipeId, Node>, id: RecipeId): Node {
  const node = nodes.get(id)
  if (node === undefined)
    throw new FixpointError('unknown-node', `Recipe "${id}" is not in the graph`)
  return node
}
