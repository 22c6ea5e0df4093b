import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../../src/base/digest.ts'
import { receiptsCommand } from '../../../../src/cli/commands/receipts.ts'
import { reportCommand } from '../../../../src/cli/commands/report.ts'
import type { CommandContext } from '../../../../src/cli/context.ts'
import { receiptLine } from '../../../../src/report/receipts/receipt.ts'
import { receiptOf } from '../../../support/receipts.ts'
import { temporaryFolder } from '../../../support/temporary.ts'

test('a record of 200,000 recipes is read to its end', async () => {
  const folder = await temporaryFolder()
  const digest = digestOf('x')
  const recipes = Array.from({ length: 200_000 }, (_, at) => ({
    ...{ recipe: `x/y${at}`, version: '1', key: digest, artifact: digest },
  }))
  const record = join(folder, 'image.json')
  await writeFile(record, JSON.stringify({ ...recipes[0], files: [], recipes }))
  await mkdir(join(folder, 'receipts'))
  const line = receiptLine(receiptOf('base/zlib'))
  await writeFile(join(folder, 'receipts/x.intoto.jsonl'), `${line}\n`)
  let printed = 0
  const command = {
    result: (lines: readonly string[]) => {
      printed += lines.length
      return Promise.resolve()
    },
  } as unknown as CommandContext
  await receiptsCommand(command, record, [join(folder, 'receipts')], {})
  // The file, and the receipt of no recipe of them.
  expect(printed).toBe(recipes.length + 2)
})

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
