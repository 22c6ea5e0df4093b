import { totalmem } from 'node:os'
import { FixpointError } from '../base/error.ts'
import { freeBytes } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { nodeOf, type Graph } from '../plan/graph.ts'

/**
 * Bytes of the store and of the largest tree that is built in, by docs/benchmarks.md. One action at
 * a time takes at least that.
 */
const REBUILD_DISK = 3.8e9

/** Fails with `little-space` where a rebuild of everything would fill the disk half-way. */
export async function requireSpace(folder: string): Promise<void> {
  const free = await freeBytes(folder)
  if (free >= REBUILD_DISK) return
  throw new FixpointError(
    'little-space',
    `Cannot rebuild here: it takes more than ${mebibytes(REBUILD_DISK)} of disk, ` +
      `"${folder}" has ${mebibytes(free)}`,
  )
}

/**
 * Fails with `little-memory` on a machine that has less than one of the actions is known to take:
 * half-way it would be killed, or crawl.
 */
export function requireMemory(graph: Graph, ids: Iterable<RecipeId>): void {
  const recipes = [...ids].map((id) => nodeOf(graph.nodes, id).recipe)
  const largest = recipes.sort((a, b) => b.memory - a.memory)[0]
  if (largest === undefined || largest.memory <= totalmem()) return
  const [wanted, there] = [mebibytes(largest.memory), mebibytes(totalmem())]
  throw new FixpointError(
    'little-memory',
    `Cannot rebuild here: building ${largest.id} takes ${wanted} of memory, ` +
      `this machine has ${there}`,
  )
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}
