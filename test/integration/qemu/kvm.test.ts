import { expect, test } from 'vitest'
import { accelerates, chooseAccelerator } from '../../../qemu/kvm.ts'

test('the probe passes on a machine that is whole: the emulated one', async () => {
  expect(await accelerates('tcg')).toBe(true)
}, 30_000)

test('an accelerator is chosen once', () => {
  expect(chooseAccelerator()).toBe(chooseAccelerator())
})

test('the choice is what the probe says', async () => {
  expect(await chooseAccelerator()).toBe((await accelerates('kvm')) ? 'kvm' : 'tcg')
}, 60_000)
