import { expect, test } from 'vitest'
import { reportCommand } from '../../../../src/cli/commands/report.ts'
import type { CommandContext } from '../../../../src/cli/context.ts'

test.each([
  ['--signers', { signers: 'signers' }],
  ['--at', { at: 0 }],
])('a report refuses %s without receipts', async (option, flags) => {
  await expect(
    reportCommand({} as unknown as CommandContext, 'image.json', flags),
  ).rejects.toMatchObject({
    code: 'no-receipts',
    message: expect.stringContaining(option) as string,
  })
})
