import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readDisk } from '../../../src/image/disk.ts'
import { firstDifferentByte } from '../../../src/verify/compare-files.ts'
import { diskOf, SECTOR } from '../../support/disk.ts'
import { temporaryFolder } from '../../support/temporary.ts'

async function written(data: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'disk')
  await writeFile(path, data)
  return path
}

it("an image's partitions and its end are those of its table, also on a larger disk", async () => {
  const disk = diskOf(100, [
    { name: 'boot', first: 40, last: 49 },
    { name: 'root', first: 50, last: 60 },
  ])
  const wanted = {
    size: 100 * SECTOR,
    partitions: [
      { name: 'boot', start: 40 * SECTOR, size: 10 * SECTOR },
      { name: 'root', start: 50 * SECTOR, size: 11 * SECTOR },
    ],
  }
  expect(await readDisk(await written(disk))).toEqual(wanted)
  expect(await readDisk(await written(Buffer.concat([disk, Buffer.alloc(77 * SECTOR)])))).toEqual(
    wanted,
  )
})

it.each([
  ['nothing', Buffer.alloc(0)],
  ['something else', Buffer.alloc(4096, 'x')],
])('%s is no image', async (_, data) => {
  await expect(readDisk(await written(data))).rejects.toMatchObject({
    code: 'no-image',
    kind: 'usage',
  })
})

it.each([
  ['a table that is nowhere', (disk: Buffer) => disk.writeBigUInt64LE(2n ** 64n - 1n, SECTOR + 72)],
  ['an end that is nowhere', (disk: Buffer) => disk.writeBigUInt64LE(2n ** 63n, SECTOR + 32)],
  ['a partition behind the end', (disk: Buffer) => disk.writeBigUInt64LE(2000n, 2 * SECTOR + 40)],
  [
    'a partition that ends before it begins',
    (disk: Buffer) => disk.writeBigUInt64LE(1n, 2 * SECTOR + 40),
  ],
])('%s is damage', async (_, change) => {
  const disk = diskOf(100, [{ name: 'root', first: 50, last: 60 }])
  change(disk)
  await expect(readDisk(await written(disk))).rejects.toMatchObject({
    code: 'no-image',
    kind: 'usage',
  })
})

it('a table without entries has no partitions', async () => {
  const disk = diskOf(100, [])
  disk.writeUInt32LE(0, SECTOR + 80)
  expect(await readDisk(await written(disk))).toMatchObject({ partitions: [] })
})

it.each([
  ['a fifo', (path: string) => execFileSync('mkfifo', [path])],
  ['a device', (path: string) => symlink('/dev/zero', path)],
  ['a folder', (path: string) => mkdir(path)],
])('%s is no image', async (_, make) => {
  const path = join(await temporaryFolder(), 'odd')
  await make(path)
  await expect(readDisk(path)).rejects.toMatchObject({ code: 'no-image', kind: 'usage' })
})

it('a file that is not there is no image', async () => {
  await expect(readDisk(join(await temporaryFolder(), 'none'))).rejects.toMatchObject({
    code: 'no-image',
  })
})

it('finds the first byte in which two files differ, up to a length', async () => {
  const data = Buffer.alloc((1 << 20) + 100, 'x')
  const other = Buffer.from(data)
  other[(1 << 20) + 7] = 0
  const [a, b, short] = [
    await written(data),
    await written(other),
    await written(data.subarray(0, 5000)),
  ]
  expect(await firstDifferentByte(a, a, data.length)).toBeUndefined()
  expect(await firstDifferentByte(a, b, data.length)).toBe((1 << 20) + 7)
  expect(await firstDifferentByte(a, b, 1 << 20)).toBeUndefined()
  expect(await firstDifferentByte(a, short, data.length)).toBe(5000)
  expect(await firstDifferentByte(short, a, data.length)).toBe(5000)
})
