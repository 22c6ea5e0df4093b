import { expect, test } from 'vitest'
import { probeSector } from '../../../qemu/probe-sector.ts'

test('is one boot sector whose addresses fit the code', () => {
  const sector = probeSector()
  expect(sector).toHaveLength(512)
  expect(sector.readUInt16LE(510)).toBe(0xaa55)
  // The descriptor of the segments: 24 bytes long, right before the descriptor itself.
  expect([sector.readUInt16LE(0xed), sector.readUInt32LE(0xef)]).toEqual([23, 0x7c00 + 0xed - 24])
})
