import { closeSync, fstatSync, type Stats } from 'node:fs'
import { createHash } from 'node:crypto'
import { beneath } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { blockChecksum, paddedMd5 } from './blocks.ts'
import { fileId, type FileBody } from './bodies.ts'
import { paddedCrc } from './crc.ts'
import { FileWindow, readAt } from './files-below.ts'
import type { Work } from './work.ts'

/** Bytes at the beginning of a file that have a digest of their own. */
export const BEGINNING = 16384

/** A file to protect, and how it was when it was read. */
export interface DescribedFile extends FileBody {
  readonly checksums: Buffer
  readonly stamp: string
}

/**
 * Reads a file below `root` once. `buffer` holds a block at least. Throws `unsafe-path` for a link,
 * pipe, device or folder, and the system's errors.
 */
export async function describeFile(
  file: { readonly root: string; readonly name: string },
  blockSize: number,
  buffer: Buffer,
  work: Work,
): Promise<DescribedFile> {
  const { root, name } = file
  const { fd, stat } = beneath(root, name, (folder, entry) => folder.openFile(entry))
  try {
    const window = new FileWindow({ fd, size: stat.size }, buffer, readAt)
    const hash = createHash('md5')
    const beginning = window.from(0, BEGINNING).subarray(0, BEGINNING)
    const md5Of16k = createHash('md5').update(beginning).digest('hex')
    const checksums: Buffer[] = []
    for (let at = 0; at < stat.size; at += blockSize) {
      const block = window.from(at, blockSize).subarray(0, blockSize)
      hash.update(block)
      checksums.push(blockChecksum(paddedMd5(block, blockSize), paddedCrc(block, blockSize)))
      await work.did(block.length)
    }
    const named = { name, size: stat.size, md5Of16k }
    return {
      id: fileId(named),
      ...named,
      md5: hash.digest('hex'),
      checksums: Buffer.concat(checksums),
      stamp: stampOf(stat),
    }
  } finally {
    closeSync(fd)
  }
}

/** Fails with `parity-input-changed` when a file is not as it was when it was read. */
export function requireUnchanged(root: string, { name, stamp }: DescribedFile): void {
  const now = beneath(root, name, (folder, entry) => {
    const { fd } = folder.openFile(entry)
    try {
      return stampOf(fstatSync(fd))
    } finally {
      closeSync(fd)
    }
  })
  if (now !== stamp)
    throw new FixpointError(
      'parity-input-changed',
      `Cannot make parity: "${name}" changed while it was read`,
    )
}

function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ')
}
