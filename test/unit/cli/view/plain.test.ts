import { expect, test } from 'vitest'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { describeEvent } from '../../../../src/cli/view/plain.ts'

test.each([
  ['build', '/log', 'failed base/a: in "build"'],
  ['cache', '', 'failed base/a: Cannot take it'],
  ['fetch', '', 'failed base/a: Cannot take it'],
  ['', '', 'failed base/a: Cannot take it'],
])('a failure in %j with log %j is named by its step or its reason', (step, log, line) => {
  const message = 'Cannot take it\n  more'
  const event = { type: 'action-failed', at: 0, recipe: 'base/a' as RecipeId, message } as const
  expect(describeEvent({ ...event, step, log })).toBe(line)
})
