import { isDigest, type Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { readRegular } from '../base/regular.ts'
import { hasShape, isText, type Shape } from '../base/shape.ts'
import type { FileSource } from '../metadata/model.ts'
import { mirrorFiles } from '../plan/action-document.ts'
import { reachable, sourcesOf, usedBy } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { Listing } from '../store/artifact/listing.ts'
import type { PlanView } from '../store/plan-view.ts'
import { describeHost } from './host-description.ts'

/** Bytes of a record; those of images are far below. */
export const LARGEST_RECORD = 256 << 20

/** How the name of an image's record ends: the file NAME.json beside it. */
export const RECORD_SUFFIX = '.json'

/** Path of the record that lies beside an image. */
export function recordPathOf(image: string): string {
  return image.replace(/\.[^./]+$/, '') + RECORD_SUFFIX
}

/** The record that `path` names: itself, or the one that lies beside an image. */
export function recordBeside(path: string): string {
  return path.endsWith(RECORD_SUFFIX) ? path : recordPathOf(path)
}

/** What a record says of the keys that its image was built by. */
export interface RecordedKeys {
  readonly artifact: Digest
  readonly recipes: readonly { readonly recipe: string; readonly key: string }[]
}

const KEY_SHAPE: Shape<RecordedKeys['recipes'][number]> = { recipe: isText, key: isText }

const KEYS_SHAPE: Shape<RecordedKeys> = {
  artifact: (value) => typeof value === 'string' && isDigest(value),
  recipes: (value) =>
    Array.isArray(value) && value.every((entry: unknown) => hasShape(entry, KEY_SHAPE)),
}

/**
 * The keys in the record at `path`; undefined when there is none, or it is not one of ours. What a
 * build with nothing to do reads: all else that reads a record loads zod.
 */
export async function recordedKeys(path: string): Promise<RecordedKeys | undefined> {
  try {
    const value: unknown = JSON.parse((await readRegular(path, LARGEST_RECORD, 'follow')) ?? '')
    return hasShape(value, KEYS_SHAPE) ? value : undefined
  } catch {
    return undefined
  }
}

/** What a record is made from. */
export interface RecordContext extends PlanView {
  /** Lists what is not source code among the sources of an image's mirror. */
  readonly listSeeds: (sources: readonly FileSource[]) => Promise<unknown>
}

/**
 * The text of an image's record: keys, artifacts and times of all that was built for it, their
 * sources, the host, and what its mirror holds that is not source code. Unlike the manifest inside
 * the image it says something of the host and of times, so it is in no artifact.
 */
export async function describeImage(
  plan: Plan,
  id: RecipeId,
  files: Listing,
  { store, indexName, listSeeds }: RecordContext,
): Promise<string> {
  const used = builtFor(plan, id)
  const recipes = [...plan.values()].flatMap(({ node, key, artifact }) => {
    if (key === undefined || !used.has(node.recipe.id)) return []
    const { id: recipe, version, host } = node.recipe
    const entry = store.index.find(indexName(key, host))
    const { durationMs, cpuMs, peakMemory, size } = entry ?? {}
    const built = artifact ?? entry?.artifact
    const facts = { artifact: built, host: host || undefined, durationMs, cpuMs, peakMemory, size }
    return [{ recipe, version, key, ...facts }]
  })
  const { key, artifact, node } = plan.get(id) ?? {}
  const seeds = node?.mirror && (await listSeeds(node.mirror))
  const sources = sourceFiles(used, plan)
  const record = { recipe: id, key, artifact, files, host: describeHost(), recipes, sources, seeds }
  return `${JSON.stringify(record, undefined, 1)}\n`
}

/** The files of all sources, by the names that they have in a mirror. */
function sourceFiles(used: ReadonlySet<RecipeId>, plan: Plan): { name: string; sha256: Digest }[] {
  const nodes = [...plan.values()]
    .map(({ node }) => node)
    .filter(({ recipe }) => used.has(recipe.id))
  return mirrorFiles(nodes.flatMap(sourcesOf)).map(({ name, digest }) => ({ name, sha256: digest }))
}

/** Whether a record has the keys that a plan has for all that an image is built from. */
export function recordsKeysOf(record: RecordedKeys, plan: Plan, id: RecipeId): boolean {
  return firstOtherKey(record, plan, id) === undefined
}

/**
 * The first recipe, in the order of building, whose key in a plan is not that in an image's record;
 * undefined when all are the same.
 */
export function firstOtherKey(
  { recipes }: Pick<RecordedKeys, 'recipes'>,
  plan: Plan,
  id: RecipeId,
): RecipeId | undefined {
  const before = new Map(recipes.map(({ recipe, key }) => [recipe, key]))
  const used = builtFor(plan, id)
  return [...plan].find(([recipe, { key }]) => used.has(recipe) && before.get(recipe) !== key)?.[0]
}

/** An image and all that it was built from, without what else was built with it. */
export function builtFor(plan: Plan, image: RecipeId): ReadonlySet<RecipeId> {
  return reachable([image], (id) => {
    const node = plan.get(id)?.node
    return node === undefined ? [] : usedBy(node)
  })
}
