import { join } from 'node:path'
import { expect, test } from 'vitest'
import { examineHost } from '../../../src/cli/doctor/examine.ts'
import { temporaryFolder } from '../../support/temporary.ts'

test('finds this host fit to build, since these tests run on it', async () => {
  const store = join(await temporaryFolder(), 'not', 'there', 'yet')
  const findings = await examineHost({ store, accelerator: () => Promise.resolve('tcg') })
  expect(
    findings.filter(({ status, purpose }) => status === 'missing' && purpose === 'build'),
  ).toEqual([])
  expect(findings.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['node', 'sandbox', 'static-c', 'static-c++', 'store']),
  )
})
