import { createHash } from 'node:crypto'
import { CHECKSUM_BYTES, MD5_BYTES } from './bodies.ts'

const ZEROS = Buffer.alloc(1 << 16)

/** MD5 of `data` with zeros behind it up to `length` bytes. */
export function paddedMd5(data: Uint8Array, length: number): Buffer {
  const hash = createHash('md5').update(data)
  for (let rest = length - data.length; rest > 0; rest -= ZEROS.length)
    hash.update(ZEROS.subarray(0, Math.min(rest, ZEROS.length)))
  return hash.digest()
}

/** Checksums of one block as parity holds them. `crc` is unsigned. */
export function blockChecksum(md5: Buffer, crc: number): Buffer {
  const checksum = Buffer.alloc(CHECKSUM_BYTES)
  md5.copy(checksum)
  checksum.writeUInt32LE(crc, MD5_BYTES)
  return checksum
}

/** Bytes of block `index` of a file that are not padding. */
export function blockLength(size: number, index: number, blockSize: number): number {
  return Math.min(blockSize, size - index * blockSize)
}

/** 16-bit words, and the same memory as bytes. */
export interface Words {
  readonly words: Uint16Array
  readonly bytes: Buffer
}

/** New words. `bytes` is even. Threads can share the memory. */
export function newWords(bytes: number): Words {
  const memory = new SharedArrayBuffer(bytes)
  return { words: new Uint16Array(memory), bytes: Buffer.from(memory) }
}
