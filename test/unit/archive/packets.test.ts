import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createParity } from '../../../src/archive/par2/create.ts'
import { withBelow } from '../../../src/archive/par2/files-below.ts'
import { findPackets, type FoundPacket } from '../../../src/archive/par2/find-packets.ts'
import { packet } from '../../../src/archive/par2/packet.ts'
import { Work } from '../../../src/archive/par2/work.ts'
import { readFile } from 'node:fs/promises'
import { noise, writeFiles } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/**
 * What Debian's par2 0.8.1 wrote for two small files, blocks of 8 bytes, two recovery blocks:
 * recovery 0, main, two descriptions, two lists of checksums, recovery 1.
 */
const GOLDEN = Buffer.from(
  [
    'UEFSMgBQS1RMAAAAAAAAALvJkX/DIoqld+xouM7aaV7lrK9DJGxm3izvDQCqB3pBUEFSIDIuMABSZWN2U2xpYwAAAAAT',
    'HgNXEAx4c1BBUjIAUEtUbAAAAAAAAAA/UbpfE20rU7CF80WTgaLa5ayvQyRsZt4s7w0Aqgd6QVBBUiAyLjAATWFpbgAA',
    'AAAIAAAAAAAAAAIAAABtE2CLEbvKAjU9PyZ7EaAhwW60gbZO/IimvA8YIkqFrlBBUjIAUEtUgAAAAAAAAAAhD3YKZGrN',
    'D0p3Q7pP6JuR5ayvQyRsZt4s7w0Aqgd6QVBBUiAyLjAARmlsZURlc2NtE2CLEbvKAjU9PyZ7EaAhNTudguBEvQ5CFXl9',
    'm0apOzU7nYLgRL0OQhV5fZtGqTsQAAAAAAAAAHNlY29uZAAAUEFSMgBQS1SAAAAAAAAAACrHfKi2jL4E4TPeZlkQxD/l',
    'rK9DJGxm3izvDQCqB3pBUEFSIDIuMABGaWxlRGVzY8FutIG2TvyIprwPGCJKha63gXivL/ZGn0bnDt+1wC5Ut4F4ry/2',
    'Rp9G5w7ftcAuVA8AAAAAAAAAZ3JlZXRpbmdQQVIyAFBLVHgAAAAAAAAA5re2lJhCItejexbFZPt5ieWsr0MkbGbeLO8N',
    'AKoHekFQQVIgMi4wAElGU0MAAAAAbRNgixG7ygI1PT8mexGgIcSTcnYyZ7IB0LrmFSNSQaBl1nVXjK3Gib/TYpWEhD7p',
    'Bf37lAGrN+9QQVIyAFBLVHgAAAAAAAAAPHSviiYSMEathQcIbrGUA+Wsr0MkbGbeLO8NAKoHekFQQVIgMi4wAElGU0MA',
    'AAAAwW60gbZO/IimvA8YIkqFrs6ZtMZ0YKzALG3shdiFUZRRPbPyjFcr7y0pnrDvBSU8EaSPkZiNavRQQVIyAFBLVEwA',
    'AAAAAAAAtMWy2vJecHsb4Crmizr1zuWsr0MkbGbeLO8NAKoHekFQQVIgMi4wAFJlY3ZTbGljAQAAAK3Oq1yqB7I+',
  ].join(''),
  'base64',
)

const SET = 'e5acaf43246c66de2cef0d00aa077a41'

async function packetsIn(bytes: Buffer): Promise<FoundPacket[]> {
  const root = await temporaryFolder()
  await writeFile(join(root, 'x.par2'), bytes)
  const found: FoundPacket[] = []
  await withBelow({ root, path: 'x.par2' }, (file) =>
    findPackets(file, new Work({}), (one) => found.push(one)),
  )
  return found
}

/** The bytes of each packet, as text that can be compared. */
function slices(bytes: Buffer, packets: readonly FoundPacket[]): string[] {
  return packets.map(({ at, length }) => bytes.toString('hex', at, at + length))
}

describe('packets of another program', () => {
  it('are found', async () => {
    const packets = await packetsIn(GOLDEN)
    expect(packets.map(({ type }) => type)).toEqual([
      'recovery',
      'main',
      'file',
      'file',
      'checksums',
      'checksums',
      'recovery',
    ])
    expect(new Set(packets.map(({ set }) => set))).toEqual(new Set([SET]))
  })

  it('have the bytes that are written here', async () => {
    const root = await temporaryFolder()
    await writeFiles(root, [
      ['greeting', Buffer.from('Hello, parity!\n')],
      ['second', Buffer.from('Second file here')],
    ])
    const { set, files } = await createParity({
      root,
      files: ['second', 'greeting'],
      blockSize: 8,
      recoveryBlocks: 2,
      output: { folder: root, name: 'kit' },
    })
    expect(set).toBe(SET)
    expect(files).toEqual(['kit.par2', 'kit.vol0+2.par2'])
    const volume = await readFile(join(root, 'kit.vol0+2.par2'))
    const wanted = slices(GOLDEN, await packetsIn(GOLDEN))
    expect(new Set(slices(volume, await packetsIn(volume)))).toEqual(new Set(wanted))
  })
})

describe('the search for packets', () => {
  const small = packet(SET, 'file', noise(80, 1))
  const large = packet(SET, 'recovery', noise(5004, 2))
  const unknown = Buffer.from(packet(SET, 'main', noise(64, 3)))
  unknown.write('Other\0\0\0', 56, 'latin1')

  it('passes unknown packets over', async () => {
    const packets = await packetsIn(Buffer.concat([unknown, small, unknown, large]))
    expect(packets.map(({ type }) => type)).toEqual(['file', 'recovery'])
  })

  it('finds all packets but those with a changed byte, whatever lies between them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(small.length - 1), fc.nat(100), async (at, rubbish) => {
        const damaged = Buffer.from(small)
        damaged[at]! ^= 0x10
        const bytes = Buffer.concat([small, damaged, noise(rubbish, 4), large, damaged])
        const packets = await packetsIn(bytes)
        expect(packets.map(({ at: place }) => place)).toEqual([0, 2 * small.length + rubbish])
      }),
      { numRuns: 40 },
    )
  })

  it('finds a packet across the end of its window', async () => {
    const filler = noise((2 << 20) - 3, 5)
    const packets = await packetsIn(Buffer.concat([filler, small]))
    expect(packets.map(({ at }) => at)).toEqual([filler.length])
  })

  it('finds what a wrong length would jump over', async () => {
    const liar = Buffer.from(small)
    liar.writeBigUInt64LE(BigInt(2 * small.length), 8)
    expect(await packetsIn(Buffer.concat([liar, small]))).toHaveLength(1)
    liar.writeBigUInt64LE(2n ** 64n - 4n, 8)
    expect(await packetsIn(Buffer.concat([liar, small]))).toHaveLength(1)
  })

  it('passes over a packet that is cut off', async () => {
    for (const whole of [small, large])
      for (const length of [whole.length - 4, 65, 63, 9])
        expect(await packetsIn(Buffer.concat([small, whole.subarray(0, length)]))).toHaveLength(1)
  })

  it('ends soon in a file full of heads of long packets', async () => {
    const head = large.subarray(0, 64)
    const bytes = Buffer.concat(Array.from({ length: 100_000 }, () => head))
    for (let at = 0; at < bytes.length; at += 64)
      bytes.writeBigUInt64LE(BigInt(bytes.length - at), at + 8)
    expect(await packetsIn(bytes)).toEqual([])
  })
})
