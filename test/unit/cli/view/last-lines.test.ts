import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LastLines } from '../../../../src/cli/view/last-lines.ts'
import { temporaryFolder } from '../../../support/temporary.ts'

test.each([
  ['', undefined],
  ['\n \n', undefined],
  ['one\ntwo\n', 'two'],
  ['one\ntwo\n\n  \n', 'two'],
  ['half of a li', 'half of a li'],
  ['10 %\r20 %\r', '20 %'],
  ['\u001b[31mred\u001b[0m\n', 'red'],
  [`${'x'.repeat(10_000)}\nend\n`, 'end'],
])('of %j', async (text, line) => {
  const log = join(await temporaryFolder(), 'log')
  await writeFile(log, text)
  const lines = new LastLines()
  await lines.read([log])
  expect(lines.of(log)).toBe(line)
})

test('follows a log that grows, and forgets one that went', async () => {
  const log = join(await temporaryFolder(), 'log')
  const lines = new LastLines()
  await lines.read([log])
  expect(lines.of(log)).toBeUndefined()
  await writeFile(log, 'one\n')
  await lines.read([log])
  expect(lines.of(log)).toBe('one')
  await writeFile(log, 'one\ntwo\n')
  await lines.read([log])
  expect(lines.of(log)).toBe('two')
  await lines.read([])
  expect(lines.of(log)).toBeUndefined()
})

test('reads no link and no folder in place of a log', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'secret'), 'secret\n')
  await symlink('secret', join(folder, 'link'))
  const lines = new LastLines()
  await lines.read([join(folder, 'link'), folder])
  expect([lines.of(join(folder, 'link')), lines.of(folder)]).toEqual([undefined, undefined])
})
