import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { Forecast } from '../../../src/build/forecast.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { LivePlan } from '../../../src/plan/live-plan.ts'
import type { HistoryEntry } from '../../../src/store/rooms.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const id = (name: string): RecipeId => `system/${name}` as RecipeId

/** Costs in seconds. All of them are inputs of `all`. */
const COSTS = { small: 1, binutils: 2000, linux: 20_000, gcc: 30_000 }

const recipes = Object.entries(COSTS).map(([name, cost]) => toyRecipe(id(name), name, { cost }))
const metadata = toyMetadata(
  ...recipes,
  toyRecipe(id('all'), 'all', { cost: 1, inputs: recipes.map((recipe) => recipe.id) }),
)

/** What a run of a recipe took, in seconds of wall and of CPU time. */
type Past = Readonly<Partial<Record<keyof typeof COSTS, readonly [wall: number, cpu?: number]>>>

/** The forecast of a build of everything, where some of it was built before. */
function forecastAfter(past: Past): Record<'duration' | 'work', (name: string) => number> {
  const graph = graphOf(metadata, [id('all')])
  const live = new LivePlan(graph, [id('all')], { artifactOf: () => undefined, has: () => false })
  const history = (recipe: RecipeId): HistoryEntry[] => {
    const times = past[recipe.slice('system/'.length) as keyof typeof COSTS]
    if (times === undefined) return []
    const [wall, cpu] = times
    const cpuMs = cpu === undefined ? {} : { cpuMs: cpu * 1000 }
    return [{ name: digestOf(recipe), durationMs: wall * 1000, ...cpuMs, peakMemory: 0 }]
  }
  const forecast = new Forecast(graph, live.snapshot(), { history })
  return {
    duration: (name) => forecast.duration(id(name)) / 1000,
    work: (name) => forecast.work(id(name)) / 1000,
  }
}

describe('what an action is expected to take', () => {
  it('is what the recipe says, where nothing was built', () => {
    const { duration, work } = forecastAfter({})
    expect([duration('gcc'), work('gcc')]).toEqual([30_000, 30_000])
  })

  it('is what its last run took, whatever others took', () => {
    const { duration, work } = forecastAfter({ binutils: [6000, 8000], linux: [21_000] })
    expect([duration('binutils'), work('binutils')]).toEqual([6000, 8000])
    expect([duration('linux'), work('linux')]).toEqual([21_000, 21_000])
  })

  it('is more on a slow machine: others took three times as long as their recipes say', () => {
    const { duration, work } = forecastAfter({ linux: [60_000, 80_000] })
    expect(duration('gcc') / 90_000).toBeCloseTo(1, 2)
    expect(work('gcc') / 120_000).toBeCloseTo(1, 2)
    expect(duration('small')).toBeCloseTo(3, 1)
  })

  it('goes by the large ones, and hardly by one that takes seconds', () => {
    expect(forecastAfter({ small: [10] }).duration('gcc') / 30_000).toBeCloseTo(1.15, 2)
    const both = forecastAfter({ binutils: [8000], linux: [20_000] })
    expect(both.duration('gcc') / 30_000).toBeCloseTo(28 / 22, 2)
  })
})
