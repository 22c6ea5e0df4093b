import type { RecipeId } from '../../src/base/recipe-id.ts'
import { readDetailedRecord, type DetailedRecord } from '../../src/image/read-record.ts'
import type { Metadata } from '../../src/metadata/model.ts'
import { graphOf, type Graph } from '../../src/plan/graph.ts'
import { toyMetadata, toyRecipe } from '../support/toy.ts'

/** What an action took where it ran last: milliseconds and bytes. */
export interface Measured {
  readonly durationMs: number
  readonly peakMemory: number
  /** Bytes of its artifact. */
  readonly size: number
}

/** A graph whose build is simulated. */
export interface FarmGraph {
  readonly graph: Graph
  readonly target: RecipeId
  /** Of the others the recipe's cost counts. */
  readonly measured: ReadonlyMap<RecipeId, Measured>
}

/** The graph of an image, with what its record says. Fails with `no-record`. */
export async function imageGraph(path: string, metadata: Metadata): Promise<FarmGraph> {
  const record = await readDetailedRecord(path)
  const target = record.recipe as RecipeId
  return { graph: graphOf(metadata, [target]), target, measured: measuredBy(record) }
}

function measuredBy({ recipes }: DetailedRecord): Map<RecipeId, Measured> {
  return new Map(
    recipes.flatMap(({ recipe, durationMs, peakMemory = 0, size = 0 }) =>
      durationMs === undefined ? [] : [[recipe, { durationMs, peakMemory, size }]],
    ),
  )
}

/** Recipes that take longer are rare in larger graphs, milliseconds. */
const GIANT_MS = 600_000

/** One recipe in so many is a giant. */
const GIANTS = 100

/** What all others wait for: a toolchain, milliseconds and bytes. */
const TOOLCHAIN: Measured = { durationMs: 2_400_000, peakMemory: 0, size: 150 << 20 }

/**
 * A graph of `count` recipes that use a toolchain and up to three earlier ones, mostly early ones,
 * as libraries are used. Each takes what one of `samples` took. A last one uses them all. The same
 * `seed` gives the same graph.
 */
export function syntheticGraph(
  count: number,
  samples: readonly Measured[],
  seed: number,
): FarmGraph {
  const random = randomFrom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const giants = samples.filter(({ durationMs }) => durationMs >= GIANT_MS)
  const others = samples.filter(({ durationMs }) => durationMs < GIANT_MS)
  const toolchain = 'farm/toolchain' as RecipeId
  const ids = Array.from({ length: count }, (_, at) => `farm/part-${String(at)}` as RecipeId)
  const measured = new Map([[toolchain, TOOLCHAIN]])
  const recipes = [toyRecipe(toolchain, 'make')]
  for (const [at, id] of ids.entries()) {
    const uses = [0, 0, 0].flatMap(() => ids[Math.floor(at * random() ** 2)] ?? [])
    const earlier = uses.filter((used) => used !== id)
    recipes.push(toyRecipe(id, 'make', { inputs: [...new Set([toolchain, ...earlier])].sort() }))
    const from = below(GIANTS) === 0 && giants.length > 0 ? giants : others
    const sample = from[below(from.length)]
    if (sample !== undefined) measured.set(id, sample)
  }
  const target = 'farm/all' as RecipeId
  recipes.push(toyRecipe(target, 'make', { inputs: [...ids].sort() }))
  return { graph: graphOf(toyMetadata(...recipes), [target]), target, measured }
}

/** Numbers from 0 up to 1, the same for the same seed: the generator Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
