import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { forwarding, percent, port, positiveInteger } from '../../../../src/cli/program/options.ts'

const ODD = ['0x1', ' 1', '1 ', '1\n', '+1', '1e1', '1.0', '01', '0', '-1', '', '1_0', '٣', '1e400']

test.each(ODD)('%j is no whole number above 0', (text) => {
  expect(() => positiveInteger(text)).toThrow(InvalidArgumentError)
  expect(() => percent(text)).toThrow(InvalidArgumentError)
})

test('a whole number is one in decimal digits', () => {
  expect([positiveInteger('1'), positiveInteger('20')]).toEqual([1, 20])
  expect(() => positiveInteger('99999999999999999999')).toThrow(InvalidArgumentError)
})

test.each(['0x1:1', ' 1:1', '1:1 ', '1e1:1', '1', '1:', ':1', '1:1:1', '0:1', '1:65536'])(
  '%j is no pair of ports',
  (text) => {
    expect(() => forwarding(text, undefined)).toThrow(InvalidArgumentError)
  },
)

test('ports are numbers in decimal digits', () => {
  expect(forwarding('2222:22', [{ host: 1, guest: 2 }])).toEqual([
    { host: 1, guest: 2 },
    { host: 2222, guest: 22 },
  ])
  expect(() => port('0x1')).toThrow(InvalidArgumentError)
})
