import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Metadata } from '../metadata/model.ts'
import { graphOf, type Graph } from '../plan/graph.ts'
import { plan, type Known, type Plan } from '../plan/plan.ts'
import type { RecordedImage } from './read-record.ts'
import { firstOtherKey } from './record.ts'

/** What an image was built from. */
export interface RecordedPlan {
  readonly graph: Graph
  readonly plan: Plan
}

/**
 * The plan that an image was built by: recipes of the layers in effect, artifacts of its record. It
 * needs no store. Fails with `papers-other-layers` when the layers would build another image; the
 * message names the first recipe that differs.
 */
export function recordedPlan(image: RecordedImage, metadata: Metadata): RecordedPlan {
  const { path, record } = image
  const id = record.recipe as RecipeId
  const refuse = (reason: string): FixpointError =>
    new FixpointError('papers-other-layers', `Cannot tell what "${path}" is made of: ${reason}`)
  if (!metadata.recipes.has(id)) throw refuse(`the layers in effect have no recipe ${id}`)
  // An image may have been built without its mirror, as an option of the build.
  const planned = [true, false].map((mirrors) => planOf(image, metadata, mirrors))
  const others = planned.map((one) => firstOtherKey(record, one.plan, id))
  const same = planned.find((_, at) => others[at] === undefined)
  if (same !== undefined) return same
  throw refuse(`the layers in effect build another image, from ${others[0] ?? id} on`)
}

function planOf({ record }: RecordedImage, metadata: Metadata, mirrors: boolean): RecordedPlan {
  const id = record.recipe as RecipeId
  const artifacts = new Map<Digest, Digest | undefined>(
    record.recipes.map(({ key, artifact }) => [key, artifact]),
  )
  const known: Known = { artifactOf: (key) => artifacts.get(key), has: () => true }
  const graph = graphOf(metadata, [id], { mirrors })
  return { graph, plan: plan(graph, [id], known) }
}
