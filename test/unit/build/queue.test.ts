import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { remainingTimes } from '../../../src/build/forecast.ts'
import { Queue, type Candidate, type Room } from '../../../src/build/queue.ts'
import { cpuTime } from '../../../src/build/run-steps.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { plan } from '../../../src/plan/plan.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const ids = (...names: string[]): RecipeId[] => names as RecipeId[]
const candidate = (recipe: string, remaining: number, memory: number): Candidate => ({
  recipe: recipe as RecipeId,
  remaining,
  memory,
})

function queueOf(candidates: readonly Candidate[]): Queue {
  const queue = new Queue()
  for (const one of candidates) queue.add(one)
  return queue
}

describe('choosing what to start', () => {
  it.each<[string, Candidate[], Room, string[]]>([
    [
      'the longest path first',
      [candidate('a', 1, 1), candidate('b', 3, 1), candidate('c', 2, 1)],
      { slots: 2, memory: 10, idle: true },
      ['b', 'c'],
    ],
    [
      'by name among equals',
      [candidate('b', 1, 1), candidate('a', 1, 1)],
      { slots: 2, memory: 10, idle: true },
      ['a', 'b'],
    ],
    [
      'a smaller one past what does not fit',
      [candidate('a', 2, 9), candidate('b', 1, 1)],
      { slots: 2, memory: 5, idle: false },
      ['b'],
    ],
    [
      'one that never fits when nothing runs',
      [candidate('a', 2, 9), candidate('b', 1, 1)],
      { slots: 2, memory: 5, idle: true },
      ['a'],
    ],
    [
      'nothing that does not fit beside what runs',
      [candidate('a', 2, 9)],
      { slots: 2, memory: 5, idle: false },
      [],
    ],
    [
      'no more than there are slots',
      [candidate('a', 2, 0), candidate('b', 1, 0)],
      { slots: 0, memory: 5, idle: false },
      [],
    ],
    [
      'what fits exactly',
      [candidate('a', 2, 2), candidate('b', 1, 3)],
      { slots: 9, memory: 5, idle: false },
      ['a', 'b'],
    ],
  ])('%s', (_name, candidates, room, chosen) => {
    expect(queueOf(candidates).take(room)).toEqual(chosen)
  })

  it('takes each once, however often it was added, and none that was removed', () => {
    const one = fc.record({
      recipe: fc.nat(30).map((n) => String(n) as RecipeId),
      remaining: fc.nat(3),
      memory: fc.constant(0),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(one, { selector: ({ recipe }) => recipe }),
        fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 60 }),
        (candidates, changes) => {
          const queue = new Queue()
          const inside = new Set<Candidate>()
          for (const [adds, at] of candidates.length === 0 ? [] : changes) {
            const candidate = candidates[at % candidates.length]!
            // A recipe is named by its id, not by the object that describes it.
            if (adds) queue.add({ ...candidate })
            else queue.remove({ ...candidate })
            if (adds) inside.add(candidate)
            else inside.delete(candidate)
          }
          const expected = [...inside].sort(
            (a, b) => b.remaining - a.remaining || (a.recipe < b.recipe ? -1 : 1),
          )
          const room = { slots: 99, memory: 0, idle: true }
          expect(queue.take(room)).toEqual(expected.map(({ recipe }) => recipe))
          expect(queue.take(room)).toEqual([])
        },
      ),
    )
  })

  it('never promises more than there is, and starts something whenever nothing runs', () => {
    const one = fc.record({
      recipe: fc.nat(99).map((n) => String(n) as RecipeId),
      remaining: fc.nat(9),
      memory: fc.nat(20),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(one, { selector: ({ recipe }) => recipe }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: -5, max: 30 }),
        fc.boolean(),
        (candidates, slots, memory, idle) => {
          const chosen = queueOf(candidates).take({ slots, memory, idle })
          const sum = chosen.reduce(
            (total, id) => total + candidates.find(({ recipe }) => recipe === id)!.memory,
            0,
          )
          expect(chosen.length).toBeLessThanOrEqual(slots)
          expect(
            sum <= memory ||
              (chosen.length === 1 && idle) ||
              chosen.every((id) => candidates.find(({ recipe }) => recipe === id)!.memory === 0) ||
              (idle && sum - candidates.find(({ recipe }) => recipe === chosen[0])!.memory === 0),
          ).toBe(true)
          if (idle && candidates.length > 0) expect(chosen.length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('remaining times', () => {
  it('are those of the longest chain that begins with a recipe', () => {
    const metadata = toyMetadata(
      toyRecipe('a/root', ''),
      toyRecipe('a/short', '', { inputs: ids('a/root') }),
      toyRecipe('a/long', '', { inputs: ids('a/root') }),
      toyRecipe('a/image', '', { inputs: ids('a/short'), contents: ids('a/long') }),
    )
    const current = plan(graphOf(metadata, ids('a/image')), ids('a/image'), {
      artifactOf: () => undefined,
      has: () => false,
    })
    const costs: Record<string, number> = {
      'a/root': 1,
      'a/short': 10,
      'a/long': 100,
      'a/image': 1000,
    }
    expect(Object.fromEntries(remainingTimes(current, (id) => costs[id] ?? 0))).toEqual({
      'a/image': 1000,
      'a/long': 1100,
      'a/short': 1010,
      'a/root': 1101,
    })
  })
})

describe('the time that a shell tells', () => {
  it.each([
    ['0m0.01s 0m0.02s\n0m1.50s 2m0.25s\n', 121_780],
    ['0m0.010000s 0m0.000000s\n1m0.5s 0m0s\n', 60_510],
    ['0m0,01s 0m0,00s\n0m0,00s 0m0,00s\n', 10],
    ['', 0],
    ['garbage', 0],
    ['99999999999999999999m0s', 0],
  ])('%j is %i ms', (text, ms) => {
    expect(cpuTime(text)).toBe(ms)
  })
})
