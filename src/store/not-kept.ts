import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { blobSize } from './blob-size.ts'
import type { Store } from './store.ts'

/** Artifacts of one recipe that a collection removes. */
export interface NotKept {
  readonly recipe: RecipeId
  readonly artifacts: number
  readonly bytes: number
}

/**
 * Counts the stored artifacts that are not in `keep`, by the recipes whose last actions made them.
 * Recipes of all layers count, also of those that are not in effect.
 */
export async function artifactsNotKept(
  store: Store,
  keep: ReadonlySet<Digest>,
): Promise<NotKept[]> {
  const rows = (await store.index.recipes()).map((recipe) => {
    const past = store.index.history(recipe)
    const made = new Set(past.flatMap(({ name }) => store.index.find(name)?.artifact ?? []))
    const artifacts = [...made].filter((digest) => !keep.has(digest) && store.blobs.has(digest))
    const bytes = artifacts.reduce((sum, digest) => sum + blobSize(store.root, digest), 0)
    return { recipe, artifacts: artifacts.length, bytes }
  })
  return rows.filter(({ artifacts }) => artifacts > 0)
}
