import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { chainTimes } from '../../../src/build/forecast.ts'
import { Placement } from '../../../src/build/placement.ts'
import { Queue } from '../../../src/build/queue.ts'
import { simulate, type Simulated } from '../../../src/build/simulate.ts'
import { graphOf, usedBy, type Node } from '../../../src/plan/graph.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

/** Seconds that an action takes, and what it uses. */
type Toys = Readonly<Record<string, readonly [seconds: number, ...uses: string[]]>>

/** Simulates toys; those named `host/…` are of a host layer. */
function run(toys: Toys, how: Partial<Simulated> = {}) {
  const nodes = nodesOf(toys)
  const timeOf = (id: RecipeId): number => toys[id]![0]
  const remaining = chainTimes(nodes, timeOf)
  const { total, runs } = simulate({
    nodes,
    candidateOf: (recipe) => ({ recipe, remaining: remaining.get(recipe)!, memory: 1 }),
    timeOf,
    machine: { cores: 1, memory: Infinity },
    slots: 0,
    ...how,
  })
  return { total, runs, nodes, longest: Math.max(0, ...remaining.values()) }
}

function nodesOf(toys: Toys): Node[] {
  const ids = Object.keys(toys) as RecipeId[]
  const recipes = ids.map((id) =>
    toyRecipe(id, id, { inputs: toys[id]!.slice(1) as unknown as RecipeId[] }),
  )
  return [...graphOf(toyMetadata(...recipes), ids).nodes.values()]
}

const CHAIN: Toys = { 'a/1': [10], 'a/2': [10, 'a/1'], 'a/3': [10, 'a/2'], 'a/4': [10, 'a/3'] }
const WIDE: Toys = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`a/${n}`, [10]]))
const DIAMOND: Toys = {
  'a/low': [10],
  'a/left': [20, 'a/low'],
  'a/right': [30, 'a/low'],
  'a/top': [10, 'a/left', 'a/right'],
}
const ONLY = { cores: 1, memory: Infinity, remoteOnly: true }

describe('a simulated build', () => {
  test.each([
    ['a chain', CHAIN, 1, 40],
    ['a chain', CHAIN, 128, 40],
    ['twelve alone', WIDE, 1, 120],
    ['twelve alone', WIDE, 2, 60],
    ['twelve alone', WIDE, 5, 30],
    ['twelve alone', WIDE, 12, 10],
    ['twelve alone', WIDE, 128, 10],
    ['a diamond', DIAMOND, 1, 70],
    ['a diamond', DIAMOND, 2, 50],
    ['a diamond', DIAMOND, 128, 50],
    ['nothing', {}, 1, 0],
  ])('of %s', (_, toys, machines, total) => {
    // As many cores here, or as many workers elsewhere: the rule is the same.
    expect(run(toys, { machine: { cores: machines, memory: Infinity } }).total).toBe(total)
    expect(run(toys, { machine: ONLY, slots: machines }).total).toBe(total)
  })

  test('starts the longest chain first', () => {
    const toys: Toys = { 'a/1': [10], 'a/2': [10], 'b/1': [10], 'b/2': [10, 'b/1'] }
    const { total, runs } = run(toys, { machine: { cores: 2, memory: Infinity } })
    expect(total).toBe(20)
    expect(runs.map(({ recipe }) => recipe)).toEqual(['b/1', 'a/1', 'a/2', 'b/2'])
  })

  test('keeps host layers here, and takes here what others have no place for', () => {
    const toys: Toys = { 'host/a': [10], 'host/b': [10], 'x/1': [10], 'x/2': [10], 'x/3': [10] }
    const placesOf = (how: Partial<Simulated>): [string, string, number][] =>
      run(toys, how).runs.map(({ recipe, place, start }) => [recipe, place, start])
    expect(placesOf({ machine: ONLY, slots: 2 })).toEqual([
      ['x/1', 'away', 0],
      ['x/2', 'away', 0],
      ['host/a', 'here', 0],
      ['x/3', 'away', 10],
      ['host/b', 'here', 10],
    ])
    expect(placesOf({ machine: { cores: 3, memory: Infinity }, slots: 2 })).toEqual([
      ['x/1', 'away', 0],
      ['x/2', 'away', 0],
      ['host/a', 'here', 0],
      ['host/b', 'here', 0],
      ['x/3', 'here', 0],
    ])
  })

  test('here, memory is a limit; elsewhere it is not', () => {
    expect(run(WIDE, { machine: { cores: 4, memory: 2 } }).total).toBe(60)
    expect(run(WIDE, { machine: { ...ONLY, memory: 2 }, slots: 4 }).total).toBe(30)
  })

  test('is neither shorter than its longest chain nor longer than the known bound', () => {
    const graphs = fc.array(fc.record({ cost: fc.nat(9), uses: fc.array(fc.nat(20)) }), {
      maxLength: 14,
    })
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 5 }), (shape, slots) => {
        const name = (at: number): string => `a/${String(at).padStart(2, '0')}`
        const toys: Toys = Object.fromEntries(
          shape.map(({ cost, uses }, at) => [
            name(at),
            [cost, ...new Set(at === 0 ? [] : uses.map((used) => name(used % at)))],
          ]),
        )
        const { total, runs, nodes, longest } = run(toys, { machine: ONLY, slots })
        const work = shape.reduce((sum, { cost }) => sum + cost, 0)
        expect(total).toBeGreaterThanOrEqual(Math.max(longest, work / slots))
        // R. L. Graham, Bounds for certain multiprocessing anomalies, 1966.
        expect(total).toBeLessThanOrEqual(longest + (work - longest) / slots + 1e-9)
        const ends = new Map(runs.map(({ recipe, end }) => [recipe, end]))
        expect(ends.size).toBe(nodes.length)
        for (const { recipe, start } of runs)
          for (const used of usedBy(nodes.find((node) => node.recipe.id === recipe)!))
            expect(ends.get(used)).toBeLessThanOrEqual(start)
      }),
    )
  })
})

describe('a placement', () => {
  const queueOf = (...recipes: readonly string[]): Queue => {
    const queue = new Queue()
    for (const recipe of recipes as RecipeId[]) queue.add({ recipe, remaining: 1, memory: 1 })
    return queue
  }
  const isHost = (recipe: string): boolean => recipe.startsWith('host/')
  const one = (): number => 1

  test('asks nothing of this machine where all is for others', () => {
    const placement = new Placement(ONLY, isHost)
    const queue = queueOf('x/1', 'x/2')
    expect(placement.takeAway(queue, 1)).toEqual(['x/1'])
    expect(placement.mayTakeHere(queue)).toBe(false)
    expect(placement.takeHere(queue, one)).toEqual([])
    expect(new Placement(ONLY, isHost).mayTakeHere(queueOf('x/1', 'host/a'))).toBe(true)
  })

  test('keeps here what nobody else could run, and gives places back', () => {
    const placement = new Placement(ONLY, isHost)
    const queue = queueOf('x/1')
    expect(placement.takeAway(queue, 1)).toEqual(['x/1'])
    placement.keepHere('x/1' as RecipeId)
    placement.end('x/1' as RecipeId)
    const again = queueOf('x/1', 'x/2')
    expect(placement.takeAway(again, 1)).toEqual(['x/2'])
    expect(placement.takeHere(again, one)).toEqual(['x/1'])
    expect(placement.mayTakeHere(queueOf('host/a'))).toBe(false)
    placement.end('x/1' as RecipeId)
    expect(placement.mayTakeHere(queueOf('host/a'))).toBe(true)
  })
})
