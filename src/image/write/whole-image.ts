import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { basename } from 'node:path'
import { openNamedFile } from '../../base/beneath.ts'
import { chunksOf } from '../../base/chunks.ts'
import { asDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { Turns } from '../../base/turns.ts'
import { readDisk } from '../disk.ts'
import { recordIfThere, recordPathOf } from '../record.ts'

/** An image that can be written: it was read to its end. */
export interface WholeImage {
  readonly path: string
  /** Bytes, up to the end of the second copy of its partition table. */
  readonly size: number
  readonly sha256: Digest
  /** Whether a record beside it says the same. */
  readonly isRecorded: boolean
}

/**
 * Reads an image, from a file or a disk that it was written to, and compares it with the record
 * that lies beside it. Fails with `no-image` or `image-changed`.
 */
export async function wholeImage(path: string, signal: AbortSignal): Promise<WholeImage> {
  const { size, partitions } = await readDisk(path)
  const record = await recordIfThere(recordPathOf(path))
  const recorded = record?.files.find((file) => file.path === basename(path))?.sha256
  if (recorded === undefined && !partitions.some(({ name }) => name === 'root'))
    throw new FixpointError(
      'no-image',
      `Cannot use "${path}": no record is beside it, and it has no partition "root"`,
    )
  const sha256 = await digestOfBeginning(path, size, signal)
  if (recorded !== undefined && recorded !== sha256)
    throw new FixpointError(
      'image-changed',
      `Cannot write "${path}": sha256 is ${sha256}, its record says ${recorded}`,
    )
  return { path, size, sha256, isRecorded: recorded !== undefined }
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
