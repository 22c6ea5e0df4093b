import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeMachine, processorOf } from '../../../../src/report/receipts/machine.ts'
import { temporaryFolder } from '../../../support/temporary.ts'

async function machineWith(files: Readonly<Record<string, string>>) {
  const root = await temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return describeMachine(root)
}

test('states the vendor’s names of distribution and processor, and nothing else', async () => {
  const machine = await machineWith({
    'etc/os-release': 'PRETTY_NAME="Box of Alice"\nID=debian\nVERSION_ID="12"\nHOME_URL=x\n',
    'etc/hostname': 'canary-host',
    'proc/cpuinfo':
      'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n' +
      'model name\t: Canary of Alice\n',
  })
  expect(machine).toEqual({
    distribution: 'debian 12',
    kernel: expect.stringMatching(/^\d+\.\d+$/) as string,
    processor: 'GenuineIntel family 6 model 143',
  })
})

test('an image without os-release is known by its root', async () => {
  const { distribution } = await machineWith({ 'usr/share/fixpoint/manifest.json': '{}' })
  expect(distribution).toMatch(/^fixpoint [0-9a-f]{12}$/)
})

test('a machine that says nothing is unknown', async () => {
  expect(await machineWith({})).toMatchObject({ distribution: 'unknown', processor: 'unknown' })
})

test('characters that no vendor needs are left out', () => {
  expect(processorOf('vendor_id : A\x1b[2J "B"/home\ncpu family : 6\nmodel : 1\n')).toBe(
    'A2JBhome family 6 model 1',
  )
})
