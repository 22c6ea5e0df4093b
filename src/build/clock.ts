import { EPOCH } from '../base/constants.ts'
import { FixpointError } from '../base/error.ts'

/**
 * Makes sure that this machine's clock is ahead of the time that all files of an action bear: to
 * make, whatever is compiled would be older than its source, and be made over and over. `now` is in
 * milliseconds since 1970. Fails with `clock-behind`.
 */
export function requireClock(now = Date.now()): void {
  if (now > EPOCH * 1000) return
  const day = (time: number): string => new Date(time).toISOString().slice(0, 10)
  throw new FixpointError(
    'clock-behind',
    `Cannot build here: this machine's clock says ${day(now)}, sources are of ${day(EPOCH * 1000)}`,
  )
}
