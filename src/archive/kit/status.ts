import { counted } from '../../base/format.ts'
import { openKit } from './check.ts'
import { notedChecks, notedCopies, type CheckNote, type CopyNote } from './records.ts'

/** Copies, kinds of media, and places that a kit should have at least. */
const [COPIES, MEDIA, PLACES] = [3, 2, 2] as const

/** Days after which a check is old. */
const OLD = 365

const DAY = 86_400_000

/** What the records of a kit say. */
export interface KitStatus {
  readonly copies: readonly CopyNote[]
  readonly lastCheck: CheckNote | undefined
  /** What ought to be better, a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * What a kit's own records say of its copies and checks. Reads nothing else of it. `day` is today,
 * as YYYY-MM-DD. Fails with `no-kit`.
 */
export async function kitStatus(kit: string, day: string): Promise<KitStatus> {
  openKit(kit).close()
  const copies = await notedCopies(kit)
  const lastCheck = (await notedChecks(kit)).at(-1)
  return { copies, lastCheck, warnings: warningsOf(copies, lastCheck, day) }
}

/** What is wrong with so few copies, or so old a check. */
export function warningsOf(
  copies: readonly CopyNote[],
  lastCheck: CheckNote | undefined,
  day: string,
): string[] {
  const warnings: string[] = []
  const expect = (found: number, wanted: number, ...nouns: [one: string, more: string]): void => {
    if (found < wanted) warnings.push(`${counted(found, ...nouns)}, wanted ${wanted}`)
  }
  // The kit itself is the first copy, of a medium and at a place that nobody noted.
  expect(copies.length + 1, COPIES, 'copy', 'copies')
  expect(new Set(copies.map(({ medium }) => medium)).size, MEDIA, 'medium noted', 'media noted')
  expect(new Set(copies.map(({ place }) => place)).size, PLACES, 'place noted', 'places noted')
  if (lastCheck === undefined) warnings.push('never checked')
  else {
    const age = Math.floor((Date.parse(day) - Date.parse(lastCheck.day)) / DAY)
    if (age > OLD) warnings.push(`last checked ${counted(age, 'day')} ago, wanted at most ${OLD}`)
    if (lastCheck.faults > 0)
      warnings.push(`the last check found ${counted(lastCheck.faults, 'fault')}`)
  }
  return warnings
}
