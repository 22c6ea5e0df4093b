import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { graphOf, usedBy, type Node } from '../../../../src/plan/graph.ts'
import { criticalPath, planTimeline } from '../../../../src/report/page/schedule.ts'
import { using } from '../../../support/page.ts'
import { toyMetadata } from '../../../support/toy.ts'

/** Nodes of a graph that is written as `{ user: [used…] }`. */
function nodesOf(uses: Readonly<Record<string, readonly string[]>>): Node[] {
  const recipes = Object.entries(uses).map(([id, inputs]) => using(id, inputs))
  const ids = recipes.map(({ id }) => id)
  return [...graphOf(toyMetadata(...recipes), ids).nodes.values()]
}

function durations(of: Readonly<Record<string, number>>): (id: RecipeId) => number {
  return (id) => of[id] ?? 0
}

const DIAMOND = nodesOf({ 'a/low': [], 'a/left': ['a/low'], 'a/right': ['a/low'], 'a/top': [] })

describe('a planned build', () => {
  test('starts what begins the longest chain first, and uses every core', () => {
    const nodes = nodesOf({ 'a/low': [], 'a/high': ['a/low'], 'a/alone': [], 'a/long': [] })
    const durationOf = durations({ 'a/low': 2, 'a/high': 3, 'a/alone': 1, 'a/long': 4 })
    expect(planTimeline(nodes, durationOf, 2)).toEqual({
      cores: 2,
      total: 5,
      runs: [
        { recipe: 'a/low', core: 0, start: 0, end: 2 },
        { recipe: 'a/long', core: 1, start: 0, end: 4 },
        { recipe: 'a/high', core: 0, start: 2, end: 5 },
        { recipe: 'a/alone', core: 1, start: 4, end: 5 },
      ],
    })
  })

  test('keeps the critical path on the first core', () => {
    const nodes = nodesOf({ 'a/low': [], 'a/high': ['a/low'], 'a/one': [], 'a/two': ['a/one'] })
    const durationOf = durations({ 'a/low': 5, 'a/high': 5, 'a/one': 2, 'a/two': 2 })
    const coreOf = (cores: number): [string, number][] =>
      planTimeline(nodes, durationOf, cores).runs.map(({ recipe, core }) => [recipe, core])
    const wanted = { 'a/one': 1, 'a/two': 1, 'a/low': 0, 'a/high': 0 }
    expect(Object.fromEntries(coreOf(2))).toEqual(wanted)
    expect(Object.fromEntries(coreOf(3))).toEqual(wanted)
    expect(new Set(coreOf(1).map(([, core]) => core))).toEqual(new Set([0]))
  })

  test('of actions that take no time ends', () => {
    expect(planTimeline(DIAMOND, () => 0, 2)).toMatchObject({ total: 0 })
    expect(planTimeline([], () => 1, 2)).toEqual({ cores: 2, total: 0, runs: [] })
  })

  test('runs each action once, after what it uses, one at a time on a core', () => {
    const graphs = fc.array(fc.record({ cost: fc.nat(9), uses: fc.array(fc.nat(20)) }), {
      maxLength: 14,
    })
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 4 }), (shape, cores) => {
        const idOf = (index: number): string => `a/${String(index).padStart(2, '0')}`
        const uses = shape.map((one, index): [string, string[]] => [
          idOf(index),
          index === 0 ? [] : [...new Set(one.uses.map((used) => idOf(used % index)))],
        ])
        const nodes = nodesOf(Object.fromEntries(uses))
        const durationOf = (id: RecipeId): number => shape[Number(id.slice(2))]!.cost
        const { total, runs } = planTimeline(nodes, durationOf, cores)
        const ends = new Map(runs.map(({ recipe, end }) => [recipe, end]))
        expect([...ends.keys()].sort()).toEqual(nodes.map(({ recipe }) => recipe.id).sort())
        for (const { recipe, core, start, end } of runs) {
          expect(end - start).toBe(durationOf(recipe))
          const node = nodes.find((one) => one.recipe.id === recipe)!
          for (const used of usedBy(node)) expect(ends.get(used)).toBeLessThanOrEqual(start)
          const others = runs.filter((run) => run.core === core && run.recipe !== recipe)
          for (const run of others) expect(run.end <= start || run.start >= end).toBe(true)
          expect(core).toBeLessThan(cores)
        }
        const sum = shape.reduce((all, { cost }) => all + cost, 0)
        if (cores === 1) expect(total).toBe(sum)
        const path = criticalPath(nodes, durationOf)
        const shortest = path.reduce((all, id) => all + durationOf(id), 0)
        expect(total).toBeGreaterThanOrEqual(shortest)
        expect(planTimeline(nodes, durationOf, nodes.length + 1).total).toBe(shortest)
      }),
    )
  })
})

test('the critical path is the longest chain, by names where two are as long', () => {
  const nodes = nodesOf({
    'a/low': [],
    'a/left': ['a/low'],
    'a/right': ['a/low'],
    'a/top': ['a/left', 'a/right'],
  })
  const even = durations({ 'a/low': 1, 'a/left': 2, 'a/right': 2, 'a/top': 1 })
  expect(criticalPath(nodes, even)).toEqual(['a/low', 'a/left', 'a/top'])
  const uneven = durations({ 'a/low': 1, 'a/left': 2, 'a/right': 3, 'a/top': 1 })
  expect(criticalPath(nodes, uneven)).toEqual(['a/low', 'a/right', 'a/top'])
  expect(criticalPath([], even)).toEqual([])
})
