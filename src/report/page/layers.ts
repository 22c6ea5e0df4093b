import type { Digest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { ImageRecord } from '../../image/read-record.ts'
import { builtFor } from '../../image/record.ts'
import type { Metadata } from '../../metadata/model.ts'
import { graphOf, nodeOf, type Graph, type Node } from '../../plan/graph.ts'
import { plan, type Known, type Plan } from '../../plan/plan.ts'
import { heldBy, type Held } from '../legal/held.ts'

/** What the layers in effect say of an image. */
export interface Layers {
  /** The image, and all that it is built from, each after what it uses. */
  readonly nodes: readonly Node[]
  readonly image: Node
  /** What the image holds something of. */
  readonly held: readonly Held[]
  /** Names of layers, the lowest first. */
  readonly order: readonly string[]
  /** Recipes that are other ones now than when the image was built; sorted. */
  readonly changed: readonly RecipeId[]
}

/**
 * Looks for an image in the layers in effect. Undefined: they have no such recipe. The keys are
 * computed from the record's artifacts alone, so a store has no say.
 */
export function describeLayers(record: ImageRecord, metadata: Metadata): Layers | undefined {
  const id = record.recipe as RecipeId
  if (!metadata.recipes.has(id)) return undefined
  // An image may have been built without its mirror.
  const described = [true, false].map((mirrors) => {
    const graph = graphOf(metadata, [id], { mirrors })
    const found = layersBy(graph, plan(graph, [id], knownBy(record)), record)
    return { ...found, order: metadata.layers }
  })
  return described.find(({ changed }) => changed.length === 0) ?? described[0]
}

function layersBy(graph: Graph, planned: Plan, record: ImageRecord): Omit<Layers, 'order'> {
  const id = record.recipe as RecipeId
  const used = builtFor(planned, id)
  const before = new Map(record.recipes.map(({ recipe, key }) => [recipe, key]))
  const changed = [...used].filter((recipe) => {
    const key = planned.get(recipe)?.key
    // Of a recipe above a changed one there is no key: it may be the same.
    return !before.has(recipe) || (key !== undefined && key !== before.get(recipe))
  })
  const gone = [...before.keys()].filter((recipe) => !used.has(recipe))
  return {
    nodes: [...graph.nodes.values()],
    image: nodeOf(graph.nodes, id),
    held: heldBy(graph, id),
    changed: [...changed, ...gone].sort(byCodeUnit),
  }
}

/** A store that holds what the record names. */
function knownBy({ recipes }: ImageRecord): Known {
  const artifacts = new Map<Digest, Digest>(
    recipes.flatMap(({ key, artifact }) => (artifact === undefined ? [] : [[key, artifact]])),
  )
  return { artifactOf: (key) => artifacts.get(key), has: () => true }
}
