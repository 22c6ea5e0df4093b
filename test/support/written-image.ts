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
  body.fill(0, 1 << 20, 2 << 20)
  body.copy(bytes, 40 * SECTOR)
  const path = join(await temporaryFolder(), 'toy.img')
  await writeFile(path, bytes)
  return { path, bytes, sha256: digestOf(bytes) }
}

/** Writes the record of an image beside it. */
export async function recordOf({ path, sha256 }: Pick<ToyImage, 'path' | 'sha256'>): Promise<void> {
  const record = {
    recipe: 'product/toy',
    artifact: digestOf('artifact'),
    files: [{ path: 'toy.img', sha256 }],
    recipes: [],
  }
  await writeFile(path.replace(/\.img$/, '.json'), JSON.stringify(record))
}
