import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { Estimate } from '../../../src/build/estimate.ts'
import type { Plan, Planned, State } from '../../../src/plan/plan.ts'

/** What an estimate asks of a forecast: every action takes as long as it works. */
function forecastOf(actions: Readonly<Record<string, { ms: number; chain: number }>>) {
  const of = (id: RecipeId): { ms: number; chain: number } => actions[id] ?? { ms: 0, chain: 0 }
  return {
    duration: (id: RecipeId) => of(id).ms,
    work: (id: RecipeId) => of(id).ms,
    remaining: (id: RecipeId) => of(id).chain,
  }
}

function planOf(states: Readonly<Record<string, State>>): Plan {
  const entries = Object.entries(states).map(
    ([id, state]) => [id as RecipeId, { state } as unknown as Planned] as const,
  )
  return new Map(entries)
}

const [a, b, c] = ['l/a', 'l/b', 'l/c'] as RecipeId[] as [RecipeId, RecipeId, RecipeId]

/** `a` before `b`; `c` beside them. */
const ACTIONS = {
  [a]: { ms: 3000, chain: 5000 },
  [b]: { ms: 2000, chain: 2000 },
  [c]: { ms: 1000, chain: 1000 },
}

test('as long as the longest chain, or as all the work on the cores', () => {
  const plan = planOf({ [a]: 'ready', [b]: 'blocked', [c]: 'ready' })
  expect(new Estimate(plan, forecastOf(ACTIONS), 2).leftMs(0)).toBe(5000)
  expect(new Estimate(plan, forecastOf(ACTIONS), 1).leftMs(0)).toBe(6000)
})

test('what runs counts by what is left of it, and nothing takes less than no time', () => {
  const plan = planOf({ [a]: 'ready', [b]: 'blocked', [c]: 'ready' })
  const estimate = new Estimate(plan, forecastOf(ACTIONS), 2)
  estimate.start(a, 0)
  estimate.start(c, 0)
  expect(estimate.leftMs(500)).toBe(4500)
  estimate.end(c)
  expect(estimate.leftMs(2000)).toBe(3000)
  // It takes longer than it did.
  expect(estimate.leftMs(9000)).toBe(2000)
  estimate.end(a)
  estimate.start(b, 9000)
  estimate.end(b)
  expect(estimate.leftMs(20_000)).toBe(0)
})

test('what is stored, and what turns out not to run, takes no time', () => {
  const plan = planOf({ [a]: 'stored', [b]: 'waits', [c]: 'unneeded' })
  const estimate = new Estimate(plan, forecastOf(ACTIONS), 1)
  expect(estimate.leftMs(0)).toBe(2000)
  estimate.end(b)
  estimate.end(b)
  estimate.end(a)
  expect(estimate.leftMs(0)).toBe(0)
})

test('what is left goes on as what has ended', () => {
  const hour = 3_600_000
  const longer = { [a]: { ms: hour, chain: 2 * hour }, [b]: { ms: hour, chain: hour } }
  const plan = planOf({ [a]: 'ready', [b]: 'blocked' })
  const estimate = new Estimate(plan, forecastOf(longer), 4)
  estimate.start(a, 0)
  expect(estimate.leftMs(0)).toBe(2 * hour)
  estimate.learn(a, { durationMs: 3 * hour, cpuMs: 5 * hour })
  estimate.end(a)
  const slower = estimate.leftMs(3 * hour) / hour
  expect(slower).toBeGreaterThan(2.9)
  expect(slower).toBeLessThan(3)
  estimate.start(b, 3 * hour)
  expect(estimate.leftMs(4 * hour)).toBeCloseTo((slower - 1) * hour, 6)
  // So much work as that takes longer than the chain on one core.
  const alone = new Estimate(plan, forecastOf(longer), 1)
  alone.learn(a, { durationMs: hour, cpuMs: 5 * hour })
  alone.end(a)
  expect(alone.leftMs(0) / hour).toBeCloseTo(4.93, 2)
})

test('a few small actions do not decide what large ones take', () => {
  const large = { [a]: { ms: 1000, chain: 1000 }, [b]: { ms: 1_000_000, chain: 1_000_000 } }
  const estimate = new Estimate(planOf({ [a]: 'ready', [b]: 'ready' }), forecastOf(large), 2)
  estimate.learn(a, { durationMs: 10_000 })
  estimate.end(a)
  expect(estimate.leftMs(0) / 1_000_000).toBeCloseTo(1.15, 2)
})

test('in whatever order actions end, it falls to nothing', () => {
  const order = fc.shuffledSubarray([a, b, c], { minLength: 3 })
  fc.assert(
    fc.property(order, fc.integer({ min: 1, max: 8 }), (ended, cores) => {
      const plan = planOf({ [a]: 'ready', [b]: 'ready', [c]: 'ready' })
      const estimate = new Estimate(plan, forecastOf(ACTIONS), cores)
      let before = estimate.leftMs(0)
      for (const id of ended) {
        estimate.start(id, 0)
        estimate.end(id)
        const left = estimate.leftMs(0)
        expect(left).toBeLessThanOrEqual(before)
        before = left
      }
      expect(before).toBe(0)
    }),
  )
})
