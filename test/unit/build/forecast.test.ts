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
const COSTS = { small: 10, binutils: 20, busybox: 40, gcc: 300, linux: 200 }

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
    expect([duration('gcc'), work('gcc')]).toEqual([300, 300])
  })

  it('is what its last run took, whatever others took', () => {
    const { duration, work } = forecastAfter({ binutils: [60, 80], busybox: [41] })
    expect([duration('binutils'), work('binutils')]).toEqual([60, 80])
    expect([duration('busybox'), work('busybox')]).toEqual([41, 41])
  })

  it('is more on a slow machine: others took three times as long as their recipes say', () => {
    const { duration, work } = forecastAfter({ binutils: [60, 80] })
    expect([duration('gcc'), work('gcc')]).toEqual([900, 1200])
    expect([duration('small'), work('small')]).toEqual([30, 40])
  })

  it('goes by the middle, where recipes with a larger cost count for more', () => {
    expect(forecastAfter({ binutils: [400], busybox: [80] }).duration('gcc')).toBe(600)
    expect(forecastAfter({ linux: [100], busybox: [400] }).duration('gcc')).toBe(150)
  })

  it('does not go by a recipe that leaves its cost at the default', () => {
    expect(forecastAfter({ small: [600] }).duration('gcc')).toBe(300)
  })
})
