import { expect, test } from 'vitest'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import type { Digest } from '../../../../src/base/digest.ts'
import { Progress } from '../../../../src/cli/view/progress.ts'

const recipe = 'base/zlib' as RecipeId
const key = 'a'.repeat(64) as Digest

test('percent and the time that is left go by the newest estimate and the clock', () => {
  const progress = new Progress()
  progress.take({ type: 'plan', at: 0, total: 12, stored: 4, toRun: 8 })
  expect(progress.summary(0)).toBe('0 of at most 8 built · 4 stored')
  progress.take({ type: 'estimate', at: 1000, leftMs: 1_200_000 })
  expect(progress.summary(1000)).toBe('0 of at most 8 built · 0 % · about 20 min left · 4 stored')
  expect(progress.summary(301_000)).toContain('25 % · about 15 min left')
  progress.take({ type: 'estimate', at: 301_000, leftMs: 100_000 })
  expect(progress.summary(301_000)).toContain('75 % · about 2 min left')
  expect(progress.summary(361_000)).toContain('90 % · less than a minute left')
  // It takes longer than expected: rather nothing than a wrong number.
  expect(progress.summary(500_000)).toBe('0 of at most 8 built · 4 stored')
})

test('what runs is listed from its start to its end, and failures are counted', () => {
  const progress = new Progress()
  expect(progress.isShown).toBe(false)
  progress.take({ type: 'plan', at: 0, total: 1, stored: 0, toRun: 1 })
  expect(progress.isShown).toBe(true)
  progress.take({ type: 'action-start', place: 'local', at: 10, recipe, key, log: '/log' })
  progress.take({ type: 'step-start', at: 20, recipe, step: 'build' })
  expect(progress.running(1010)).toEqual([
    expect.objectContaining({ recipe, step: 'build', ms: 1000, log: '/log' }),
  ])
  expect(progress.logs()).toEqual(['/log'])
  progress.take({ type: 'action-failed', at: 2, recipe, step: 'build', log: '/log', message: 'x' })
  expect(progress.running(3)).toEqual([])
  expect(progress.summary(3)).toBe('0 of at most 1 built · 1 failed · 0 stored')
  progress.take({ type: 'done', at: 4, ran: 0, stored: 0, failed: 1, skipped: 0 })
  expect(progress.isShown).toBe(false)
})
