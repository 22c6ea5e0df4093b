import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { paddedCrc, rollingCrc } from '../../../src/archive/par2/crc.ts'

it('pads with zeros', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(300), (data, zeros) => {
      const whole = Buffer.concat([data, Buffer.alloc(zeros)])
      expect(paddedCrc(data, whole.length)).toBe(crc32(whole))
    }),
  )
})

it('pads with many zeros in no time', () => {
  expect(paddedCrc(Buffer.from('x'), 1 + 3 * 2 ** 20)).toBe(
    crc32(Buffer.concat([Buffer.from('x'), Buffer.alloc(3 * 2 ** 20)])),
  )
  expect(paddedCrc(Buffer.from('x'), 2 ** 52)).toBeGreaterThan(0)
})

it('rolls over data', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 40, maxLength: 80 }),
      fc.integer({ min: 1, max: 40 }),
      (data, length) => {
        const { mask, enter, leave } = rollingCrc(length)
        let register = crc32(data.subarray(0, length)) ^ mask
        for (let at = 1; at + length <= data.length; at++) {
          register =
            (register >>> 8) ^
            enter[(register ^ data[at + length - 1]!) & 255]! ^
            leave[data[at - 1]!]!
          expect((register ^ mask) >>> 0).toBe(crc32(data.subarray(at, at + length)))
        }
      },
    ),
  )
})
