import { expect, test } from 'vitest'
import { requireClock } from '../../../src/build/clock.ts'

test('a clock that is behind the time of all sources is refused, with both days', () => {
  expect(() => {
    requireClock(10_000)
  }).toThrow(
    expect.objectContaining({
      code: 'clock-behind',
      kind: 'hostUnfit',
      message: expect.stringMatching(/clock says 1970-01-01, sources are of 2000-01-01$/) as string,
    }) as Error,
  )
})

test.each(['2000-01-02', '2050-06-01'])('a clock at %s will do', (day) => {
  expect(() => {
    requireClock(Date.parse(day))
  }).not.toThrow()
})
