import { expect, test } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { farmOf } from '../../bench/farm.ts'
import { syntheticGraph, type FarmGraph, type Measured } from '../../bench/farm-graphs.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const MB = 1_000_000
const took = (seconds: number, megabytes = 0): Measured => ({
  durationMs: seconds * 1000,
  peakMemory: 0,
  size: megabytes * MB,
})

const id = (text: string): RecipeId => text as RecipeId

/** Two actions of which one uses the other; their artifacts take seconds at 100 MB a second. */
const PAIR: FarmGraph = {
  graph: graphOf(
    toyMetadata(toyRecipe('a/low', ''), toyRecipe('a/top', '', { inputs: [id('a/low')] })),
    [id('a/top')],
  ),
  target: id('a/top'),
  measured: new Map([
    [id('a/low'), took(10, 100)],
    [id('a/top'), took(20, 200)],
  ]),
}
const COSTS = { overheadMs: 5000, bandwidth: 100 * MB }

test('a worker pays for each action, its inputs, and twice its artifact', () => {
  const build = farmOf(PAIR)
  expect(build({ workers: 0, cores: 1 }, COSTS)).toEqual({
    total: 30_000,
    busy: 0,
    criticalPath: 30_000,
  })
  // 10 + 5 + 2 * 1, then 20 + 5 + 1 + 2 * 2
  expect(build({ workers: 1, cores: 1 }, COSTS)).toMatchObject({ total: 47_000, busy: 1 })
  expect(build({ workers: 2, cores: 1 }, COSTS)).toMatchObject({ total: 47_000, busy: 0.5 })
})

test('what was not measured takes what its recipe says, at the pace of what was', () => {
  const measured = new Map([[id('a/low'), took(10)]])
  const build = farmOf({ ...PAIR, measured })
  // Both recipes say 1 s. The first took 10, and a minute counts as gone as expected.
  expect(build({ workers: 0, cores: 1 }, COSTS).criticalPath).toBeCloseTo(
    10_000 + 1000 * ((60 + 10) / (60 + 1)),
  )
})

test('a synthetic graph is the same for the same seed, and of what the samples took', () => {
  const samples = [took(1), took(2), took(3), took(700)]
  const facts = (seed: number) => {
    const { graph, measured } = syntheticGraph(1000, samples, seed)
    const nodes = [...graph.nodes.values()].map(({ recipe, inputs }) => [recipe.id, inputs])
    return { nodes, measured: [...measured] }
  }
  const first = facts(1)
  expect(facts(1)).toEqual(first)
  expect(facts(2)).not.toEqual(first)
  expect(first.nodes).toHaveLength(1002)
  const giants = first.measured.filter(([, { durationMs }]) => durationMs === 700_000)
  expect(giants.length).toBeGreaterThan(2)
  expect(giants.length).toBeLessThan(30)
  const build = farmOf(syntheticGraph(1000, samples, 1))
  const wall = [1, 2, 4].map((workers) => build({ workers, cores: 1 }, COSTS).total)
  expect(wall[1]).toBeLessThan(wall[0]!)
  expect(wall[2]).toBeLessThan(wall[1]!)
})
