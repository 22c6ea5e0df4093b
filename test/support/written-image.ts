import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, type Digest } from '../../src/base/digest.ts'
import { diskOf, SECTOR } from './disk.ts'
import { noise } from './parity.ts'
import { temporaryFolder } from './temporary.ts'

/** An image in a file, as it is written to disks. */
export interface ToyImage {
  readonly path: string
  readonly bytes: Buffer
  readonly sha256: Digest
}

/** An image of so many MiB: a table, noise, a MiB of zeros, and more noise. */
export async function toyImage(mebibytes: number, name = 'root'): Promise<ToyImage> {
  const sectors = (mebibytes << 20) / SECTOR
  const bytes = diskOf(sectors, [{ name, first: 40, last: sectors - 40 }])
  const body = noise(bytes.length - 40 * SECTOR, mebibytes)
  body.subarray(1 << 20, 2 << 20).fill(0)
  body.copy(bytes, 40 * SECTOR)
  const path = join(await temporaryFolder(), 'toy.img')
  await writeFile(path, bytes)
  return { path, bytes, sha256: digestOf(bytes) }
}

/** Gives an image a second partition table, for sectors of 4096 bytes. */
export async function addLargeTable({ path, bytes }: ToyImage): Promise<ToyImage> {
  const header = bytes.subarray(SECTOR, 2 * SECTOR)
  // So few entries that the first table ends before.
  header.writeUInt32LE(16, 80)
  header.copy(bytes, 4096)
  bytes.writeBigUInt64LE(1n, 4096 + 24)
  await writeFile(path, bytes)
  return { path, bytes, sha256: digestOf(bytes) }
}

/** Text of the record of an image with this digest. */
export function recordText(sha256: Digest): string {
  const made = { recipe: 'product/toy', artifact: digestOf('artifact') }
  const own = { ...made, version: '1', key: digestOf('key') }
  return JSON.stringify({ ...made, files: [{ path: 'toy.img', sha256 }], recipes: [own] })
}

/** Writes the record of an image beside it. */
export async function recordOf({ path, sha256 }: Pick<ToyImage, 'path' | 'sha256'>): Promise<void> {
  await writeFile(path.replace(/\.img$/, '.json'), recordText(sha256))
}
