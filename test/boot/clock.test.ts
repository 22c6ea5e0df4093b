import { readFile, stat } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { storedArtifacts } from '../support/image.ts'

// The larger one has all that the other is made of, nearly.
const appliance = await storedArtifacts('appliance')
const artifacts = appliance.length > 0 ? appliance : await storedArtifacts('tiny')

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** The ways in which programs write the day of a time, in UTC, as one pattern. */
function written(time: Date): RegExp {
  const [year, month, day] = time.toISOString().slice(0, 10).split('-') as [string, string, string]
  const name = MONTHS[time.getUTCMonth()]!
  const short = String(Number(day))
  const ways = [
    `${year}-${month}-${day}`,
    `${year}/${month}/${day}`,
    `${year}${month}${day}`,
    `${month}/${day}/(${year}|${year.slice(2)})`,
    `${name}\\w* +${short},? ([0-9:]+ )?(\\w+ )?${year}`,
    `0?${short}[ -]${name}\\w*[ -]${year}`,
  ]
  return new RegExp(`(?<!\\d)(${ways.join('|')})(?!\\d)`)
}

it('tells days as programs write them', () => {
  const pattern = written(new Date('2031-03-05T12:00:00Z'))
  for (const text of [
    'Mar  5 2031',
    'Wed Mar  5 07:01:02 UTC 2031',
    '2031-03-05',
    '03/05/31',
    '5 March 2031',
    'March 5, 2031',
  ])
    expect(text).toMatch(pattern)
  for (const text of ['Mar 15 2031', '2031-03-04', '12031-03-051', 'Mar  5 2030'])
    expect(text).not.toMatch(pattern)
})

it('no artifact of an image tells of the day it was built on', async ({ skip }) => {
  skip(artifacts.length === 0, 'the store holds no image of these recipes: make tiny')
  expect.hasAssertions()
  for (const { recipe, blob, record } of artifacts) {
    const text = (await readFile(blob)).toString('latin1')
    const found = written((await stat(record)).mtime).exec(text)
    expect(
      found && `${recipe}: ${text.slice(Math.max(0, found.index - 100), found.index + 100)}`,
    ).toBe(null)
  }
}, 120_000)
