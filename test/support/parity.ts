import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { blockChecksum, paddedMd5 } from '../../src/archive/par2/blocks.ts'
import {
  checksumsBody,
  fileBody,
  fileId,
  mainBody,
  type FileBody,
} from '../../src/archive/par2/bodies.ts'
import { paddedCrc } from '../../src/archive/par2/crc.ts'
import { packet } from '../../src/archive/par2/packet.ts'

/** A file for parity: what it is called, and its bytes. */
export type Content = readonly [name: string, bytes: Buffer]

/** Bytes that look random, the same for each seed. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** Writes files below a folder. */
export async function writeFiles(root: string, files: readonly Content[]): Promise<void> {
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), bytes)
  }
}

/** Digests of all files below a folder, by path; of links and pipes only that they are there. */
export async function digestsBelow(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const digests: Record<string, string> = {}
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    digests[path.slice(root.length + 1)] = entry.isFile() ? md5(await readFile(path)) : 'no file'
  }
  return digests
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** What parity says of a file, with changes that a hostile program makes. */
export function describe(
  [name, bytes]: Content,
  changes: Partial<Omit<FileBody, 'id'>> = {},
): FileBody {
  const file = {
    name,
    size: bytes.length,
    md5: md5(bytes),
    md5Of16k: md5(bytes.subarray(0, 16384)),
    ...changes,
  }
  return { id: fileId(file), ...file }
}

/** Checksums of the blocks of a file. */
export function checksumsOf(bytes: Buffer, blockSize: number): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += blockSize) {
    const block = bytes.subarray(at, at + blockSize)
    blocks.push(blockChecksum(paddedMd5(block, blockSize), paddedCrc(block, blockSize)))
  }
  return Buffer.concat(blocks)
}

/** Parts of a set that a test may replace by hostile ones. */
export interface Crafted {
  readonly files: readonly FileBody[]
  readonly main?: Buffer
  readonly blockSize?: number
  readonly checksums?: readonly (readonly [id: string, checksums: Buffer])[]
  readonly more?: (set: string) => readonly Buffer[]
}

/** Packets of a set as the tests want it, one after the other: an index file. */
export function craft({ files, blockSize = 64, checksums = [], ...rest }: Crafted): Buffer {
  const ids = files.map(({ id }) => id)
  const main = rest.main ?? mainBody({ blockSize, ids, others: [] })
  const set = md5(main)
  return Buffer.concat([
    packet(set, 'main', main),
    ...files.map((file) => packet(set, 'file', fileBody(file))),
    ...checksums.map(([id, sums]) => packet(set, 'checksums', checksumsBody(id, sums))),
    ...(rest.more?.(set) ?? []),
  ])
}
