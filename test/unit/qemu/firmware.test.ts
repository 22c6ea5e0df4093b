import { expect, test } from 'vitest'
import { findFirmware } from '../../../qemu/firmware.ts'

const has =
  (...files: string[]) =>
  (path: string): Promise<boolean> =>
    Promise.resolve(files.includes(path))

test('takes the first firmware whose code and variables are both there', async () => {
  const readable = has(
    '/usr/share/OVMF/OVMF_CODE_4M.fd',
    '/usr/share/OVMF/OVMF_CODE.fd',
    '/usr/share/OVMF/OVMF_VARS.fd',
  )
  expect(await findFirmware(readable)).toEqual({
    code: '/usr/share/OVMF/OVMF_CODE.fd',
    variables: '/usr/share/OVMF/OVMF_VARS.fd',
  })
})

test('takes firmware in one file', async () => {
  expect(await findFirmware(has('/usr/share/ovmf/OVMF.fd'))).toEqual({
    code: '/usr/share/ovmf/OVMF.fd',
    variables: undefined,
  })
})

test('says what to install when there is none', async () => {
  await expect(findFirmware(has())).rejects.toMatchObject({
    code: 'no-uefi-firmware',
    kind: 'hostUnfit',
  })
})
