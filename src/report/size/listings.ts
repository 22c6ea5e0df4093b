import type { RecipeId } from '../../base/recipe-id.ts'
import type { ImageRecord } from '../../image/read-record.ts'
import type { Listing } from '../../store/artifact/listing.ts'
import type { Store } from '../../store/store.ts'

/**
 * Entries of the packages in an image, as far as the store has them. Fails as the store does for
 * damaged blobs.
 */
export async function listingsOf(
  { recipes }: ImageRecord,
  contents: readonly RecipeId[],
  store: Store,
  signal: AbortSignal,
): Promise<Map<RecipeId, Listing>> {
  const artifacts = new Map(recipes.map(({ recipe, artifact }) => [recipe, artifact]))
  const listings = new Map<RecipeId, Listing>()
  for (const id of contents) {
    const artifact = artifacts.get(id)
    if (artifact === undefined) continue
    const listing =
      store.trees.knownListing(artifact) ??
      store.installed?.listing(artifact) ??
      (store.blobs.has(artifact) ? await store.trees.listing(artifact, signal) : undefined)
    if (listing !== undefined) listings.set(id, listing)
  }
  return listings
}
