import { FixpointError } from '../../base/error.ts'
import type { ImageRecord } from '../../image/read-record.ts'

/**
 * Makes sure that a record agrees with itself: each recipe is in it once, and the image's own with
 * the image's key and artifact, as one that can be confirmed. Fails with `no-record`.
 */
export function requireConsistent(record: ImageRecord, path: string): void {
  const reason = contradictionOf(record)
  if (reason === undefined) return
  throw new FixpointError('no-record', `Cannot use "${path}": it contradicts itself, ${reason}`)
}

function contradictionOf({ recipe, key, artifact, recipes }: ImageRecord): string | undefined {
  const entries = new Map<string, ImageRecord['recipes'][number]>()
  for (const entry of recipes) {
    if (entries.has(entry.recipe)) return `since it lists "${entry.recipe}" twice`
    entries.set(entry.recipe, entry)
  }
  const own = entries.get(recipe)
  if (own === undefined) return `since it does not list its image "${recipe}"`
  if (own.host === true) return `since it lists its image "${recipe}" as made by the host`
  if (own.artifact !== artifact) return `since it lists "${recipe}" with another artifact`
  if (key !== undefined && own.key !== key) return `since it lists "${recipe}" with another key`
  return undefined
}
