import { lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'
import type { Store } from './store.ts'

/** Artifacts of one recipe that a store holds. */
export interface RecordedArtifacts {
  readonly recipe: RecipeId
  readonly artifacts: number
  readonly bytes: number
}

/**
 * By recipe, artifacts of its last actions that the store holds and `keep` does not name; of
 * whatever layers they are, recipes without any left out.
 */
export async function artifactsBeside(
  store: Store,
  keep: ReadonlySet<Digest>,
): Promise<RecordedArtifacts[]> {
  const files = (await readdir(join(store.root, 'index'))).filter((name) =>
    name.endsWith('.history'),
  )
  const recipes = files
    .map((name) => name.slice(0, -'.history'.length).replace('@', '/') as RecipeId)
    .sort(byCodeUnit)
  return recipes
    .map((recipe) => {
      const past = store.index.history(recipe)
      const artifacts = new Set(past.flatMap(({ name }) => store.index.find(name)?.artifact ?? []))
      const held = [...artifacts].filter((digest) => !keep.has(digest) && store.has(digest))
      // What is installed may have no blob yet.
      const stats = held.map((digest) =>
        lstatSync(store.blobPath(digest), { throwIfNoEntry: false }),
      )
      const sizes = stats.map((stat) => stat?.size ?? 0)
      return { recipe, artifacts: held.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
    })
    .filter(({ artifacts }) => artifacts > 0)
}
