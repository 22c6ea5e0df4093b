import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leftOutOf, sectionsOf } from '../../support/examples.ts'
import { follow, makeMaker, type Maker, type Project } from '../../support/maker.ts'

const [begin, ...questions] = await sectionsOf('howto.md')

/** Blocks that no test can run, by their question. A new one is to be meant. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'Which packages have newer versions?': 'needs a network',
  'How do I give the device a network and SSH?': 'needs two terminals',
  'How do I start an image in QEMU, with a network and a disk for data?': 'needs a terminal',
  'How do I write an image to a USB stick?': 'needs a USB stick',
  'How do I free space?': 'it would empty the store of the other answers',
}

describe('docs/howto.md', () => {
  let maker: Maker
  let project: Project

  beforeAll(async () => {
    maker = await makeMaker()
    project = { ...maker.home }
  })
  afterAll(() => maker.remove())

  test('begins with a project', async ({ skip }) => {
    await follow(maker, project, begin!.examples, skip)
  })

  for (const { title, examples } of questions)
    test(title, async ({ skip }) => {
      await follow(maker, await maker.copyOf(project), examples, skip)
    })

  test('names what it leaves out', () => {
    expect(leftOutOf(questions)).toEqual(NOT_RUN)
  })
})
