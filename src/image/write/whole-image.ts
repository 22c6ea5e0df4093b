import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { openNamedFile } from '../../base/beneath.ts'
import { chunksOf } from '../../base/chunks.ts'
import { asDigest, isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { exists, ifThere } from '../../base/files.ts'
import { readRegular } from '../../base/regular.ts'
import { Turns } from '../../base/turns.ts'
import { readDisk, TABLE_MARK } from '../disk.ts'
import { readImageRecord } from '../read-record.ts'
import { recordPathOf } from '../record.ts'

/** An image as its partition table and the files beside it describe it. */
export interface ImageOutline {
  readonly path: string
  /** Bytes, up to the end of the second copy of its partition table. */
  readonly size: number
  /** Bytes of the sectors that a disk may have so that the image starts from it. */
  readonly sectors: readonly number[]
  /** Its digest, as files beside it say; none where there are no such files. */
  readonly stated: readonly { readonly by: string; readonly sha256: Digest }[]
}

/** An image that can be written: it was read to its end. */
export interface WholeImage extends ImageOutline {
  readonly sha256: Digest
}

/** Bytes of a sector for which an image may have a second partition table. */
const LARGE_SECTOR = 4096

/** Bytes of a file IMAGE.sha256 at most. */
const LARGEST_SUMS = 1 << 16

/**
 * Reads the outline of an image, from a file or from a disk that it was written to. Fails with
 * `no-image`, or with `no-record` for a record that is none, or a list of digests that has none of
 * the image.
 */
export async function imageOutline(path: string): Promise<ImageOutline> {
  const { size, partitions } = await readDisk(path)
  const stated = [...(await statedByRecord(path)), ...(await statedBySums(path))]
  if (stated.length === 0 && !partitions.some(({ name }) => name === 'root'))
    throw new FixpointError(
      'no-image',
      `Cannot use "${path}": no record is beside it, and it has no partition "root"`,
    )
  return { path, size, sectors: [512, ...(await largeSectors(path))], stated }
}

/**
 * Reads an image to its end and compares it with what files beside it say. Fails with `no-image`
 * where it is cut, and `image-changed`.
 */
export async function wholeImage(outline: ImageOutline, signal: AbortSignal): Promise<WholeImage> {
  const { path, size, stated } = outline
  const sha256 = await digestOfBeginning(path, size, signal)
  for (const each of stated)
    if (each.sha256 !== sha256)
      throw new FixpointError(
        'image-changed',
        `Cannot write "${path}": sha256 is ${sha256}, "${each.by}" says ${each.sha256}`,
      )
  return { ...outline, sha256 }
}

async function statedByRecord(image: string): Promise<ImageOutline['stated']> {
  const by = recordPathOf(image)
  if (!(await exists(by))) return []
  const { files } = await readImageRecord(by)
  const found = files.find((file) => file.path === basename(image))
  return found === undefined ? [] : [{ by, sha256: found.sha256 }]
}

/** By the list that sha256sum(1) checks, IMAGE.sha256. It may name another file than this copy. */
async function statedBySums(image: string): Promise<ImageOutline['stated']> {
  const by = `${image}.sha256`
  const text = await ifThere(readRegular(by, LARGEST_SUMS, 'follow'))
  if (text === undefined) return []
  const lines = text.split('\n').filter((line) => line !== '')
  const own = lines.find((line) => line.slice(66) === basename(image)) ?? lines[0] ?? ''
  const sha256 = own.slice(0, 64)
  if (isDigest(sha256) && /^.{64} [ *]/.test(own)) return [{ by, sha256 }]
  throw new FixpointError('no-record', `Cannot use "${by}": it has no SHA-256 of "${image}"`)
}

/** {@link LARGE_SECTOR} where an image has a table for such disks, too. */
async function largeSectors(path: string): Promise<number[]> {
  const file = await open(path, 'r')
  try {
    const header = Buffer.alloc(32)
    await file.read(header, 0, header.length, LARGE_SECTOR)
    // The header names its own sector, which is the second.
    const isTable =
      header.toString('latin1', 0, TABLE_MARK.length) === TABLE_MARK &&
      header.readBigUInt64LE(24) === 1n
    return isTable ? [LARGE_SECTOR] : []
  } finally {
    await file.close()
  }
}

/** SHA-256 of the first `size` bytes. Fails with `no-image` where there are fewer. */
async function digestOfBeginning(path: string, size: number, signal: AbortSignal): Promise<Digest> {
  const hash = createHash('sha256')
  const turns = new Turns(signal)
  let left = size
  const { fd } = openNamedFile(path)
  try {
    for (const chunk of chunksOf(fd)) {
      hash.update(chunk.subarray(0, left))
      left -= Math.min(left, chunk.length)
      if (left === 0) return asDigest(hash.digest('hex'))
      await turns.pass()
    }
  } finally {
    closeSync(fd)
  }
  throw new FixpointError('no-image', `Cannot use "${path}": its last ${left} bytes are missing`)
}
