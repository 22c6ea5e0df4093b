import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leftOutOf, sectionsOf } from '../../support/examples.ts'
import { follow, makeMaker, type Maker, type Project } from '../../support/maker.ts'

const sections = await sectionsOf('tutorial.md')
const [onPc, inAppliance] = splitAt('In the appliance')

/** Blocks that no test can run, by their heading. A new one is to be meant. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'Try it': 'needs a terminal',
  'A security fix, as a new version': 'there is no such version yet',
  Out: 'needs a USB stick',
  'In the appliance': 'needs a terminal, and two disks of yours',
}

function splitAt(title: string) {
  const at = sections.findIndex((section) => section.title === title)
  return [sections.slice(0, at), sections.slice(at)] as const
}

describe('docs/tutorial.md', () => {
  let maker: Maker
  let project: Project

  beforeAll(async () => {
    maker = await makeMaker()
    project = { ...maker.home }
  })
  afterAll(() => maker.remove())

  // Each goes on where the one before has ended.
  for (const { title, examples } of onPc)
    test(title, async ({ skip }) => {
      await follow(maker, project, examples, skip)
    })

  test('names what it leaves out', () => {
    expect(leftOutOf(sections)).toEqual(NOT_RUN)
  })

  // test/appliance/tutorial.test.ts types them; it takes an hour.
  test('has a section for each part of the hour in the appliance', () => {
    expect(inAppliance.map(({ title }) => title)).toEqual([
      'In the appliance',
      'A place for data',
      "A layer on top of the appliance's",
      'A patch by hand',
      'A new version by hand',
      'Onto the other disk',
    ])
  })
})
