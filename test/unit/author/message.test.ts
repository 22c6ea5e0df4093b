import { expect, test } from 'vitest'
import { asMessage } from '../../../src/author/edit-tree.ts'

const LONG = 'Use the size that the caller states, since the header of old files has another one'

test.each([
  ['one line', 'one line'],
  ['subject\nand more\nlines', 'subject\n\nand more\nlines'],
  ['subject\n\nbody', 'subject\n\nbody'],
  [
    `${LONG}\nat times`,
    `Use the size that the caller states, since the header of old files has\n\n${LONG}\nat times`,
  ],
  ['x'.repeat(80), `${'x'.repeat(72)}\n\n${'x'.repeat(80)}`],
])('the subject of %j has at most 72 columns, and nothing is lost', (description, message) => {
  expect(asMessage(description)).toBe(message)
  expect(message.split('\n')[0]!.length).toBeLessThanOrEqual(72)
})
