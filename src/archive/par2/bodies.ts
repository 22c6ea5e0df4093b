import { createHash } from 'node:crypto'
import { FixpointError } from '../../base/error.ts'

/** Bytes of an identifier, and of an MD5. */
export const MD5_BYTES = 16

/** Bytes of the checksums of one block: its MD5, then its CRC-32. */
export const CHECKSUM_BYTES = 20

/** What the main packet says. Files are named by their identifiers. */
export interface MainBody {
  /** Bytes. */
  readonly blockSize: number
  /** The recovery set: files that have blocks, in the order of these. */
  readonly ids: readonly string[]
  /** The non-recovery set: files that are only described, as empty ones are. */
  readonly others: readonly string[]
}

/** A file as its packet describes it. Identifier and digests in hexadecimal, size in bytes. */
export interface FileBody {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly md5: string
  /** MD5 of the first 16 KiB. */
  readonly md5Of16k: string
}

/** Body of the main packet. */
export function mainBody({ blockSize, ids, others }: MainBody): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(blockSize))
  head.writeUInt32LE(ids.length, 8)
  return Buffer.concat([head, Buffer.from([...ids, ...others].join(''), 'hex')])
}

/** Reads a body of {@link mainBody}. Throws `parity-refused` for sizes that no set has. */
export function readMain(body: Buffer): MainBody {
  const blockSize = body.length < 12 ? 0n : body.readBigUInt64LE()
  if (blockSize === 0n || blockSize % 4n !== 0n || blockSize > Number.MAX_SAFE_INTEGER)
    throw refused(`blocks of ${blockSize} bytes are not possible`)
  const count = body.readUInt32LE(8)
  const all = Array.from({ length: Math.floor((body.length - 12) / MD5_BYTES) }, (_, index) =>
    body.toString('hex', 12 + index * MD5_BYTES, 12 + (index + 1) * MD5_BYTES),
  )
  if (count > all.length) throw refused(`its list of ${count} files is too short`)
  return { blockSize: Number(blockSize), ids: all.slice(0, count), others: all.slice(count) }
}

/** Body of the packet that describes a file. */
export function fileBody(file: FileBody): Buffer {
  const head = Buffer.from(file.id + file.md5 + file.md5Of16k, 'hex')
  return Buffer.concat([head, padded(sizeAndName(file.size, file.name))])
}

/**
 * Reads a body of {@link fileBody}. Throws `parity-refused` when the identifier is not that of the
 * file, the size is absurd or the name is not UTF-8. The name is not checked otherwise.
 */
export function readFileBody(body: Buffer): FileBody {
  if (body.length <= 56) throw refused('it describes a file without a name')
  const id = body.toString('hex', 0, 16)
  const end = body.findLastIndex((byte) => byte !== 0) + 1
  const named = body.subarray(56, Math.max(56, end))
  const name = named.toString('utf8')
  if (!Buffer.from(name).equals(named)) throw refused('it has a name that is not UTF-8')
  // Some programs count the zeros behind the name as a part of it.
  if (![named, body.subarray(56)].some((bytes) => id === idOf(body.subarray(32, 56), bytes)))
    throw refused('the identifier of a file is not that of its description')
  const size = body.readBigUInt64LE(48)
  if (size > Number.MAX_SAFE_INTEGER) throw refused(`a file of ${size} bytes is not possible`)
  return {
    id,
    name,
    size: Number(size),
    md5: body.toString('hex', 16, 32),
    md5Of16k: body.toString('hex', 32, 48),
  }
}

/** Identifier of a file: MD5 of its first 16 KiB's MD5, its size and its name. */
export function fileId(file: Omit<FileBody, 'id' | 'md5'>): string {
  const bytes = sizeAndName(file.size, file.name)
  return idOf(
    Buffer.concat([Buffer.from(file.md5Of16k, 'hex'), bytes.subarray(0, 8)]),
    bytes.subarray(8),
  )
}

/** Body of the packet that lists the checksums of a file's blocks, as one buffer. */
export function checksumsBody(id: string, checksums: Buffer): Buffer {
  return Buffer.concat([Buffer.from(id, 'hex'), checksums])
}

/** Body of the packet that says which program wrote the set. */
export function creatorBody(text: string): Buffer {
  return padded(Buffer.from(text))
}

/** Compares identifiers as the specification orders them: as little-endian numbers. */
export function byIdentifier(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'hex').reverse(), Buffer.from(b, 'hex').reverse())
}

function idOf(hashAndSize: Buffer, name: Buffer): string {
  return createHash('md5').update(hashAndSize).update(name).digest('hex')
}

function sizeAndName(size: number, name: string): Buffer {
  const head = Buffer.alloc(8)
  head.writeBigUInt64LE(BigInt(size))
  return Buffer.concat([head, Buffer.from(name)])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4)
}

function refused(reason: string): FixpointError {
  return new FixpointError('parity-refused', `Cannot use a packet of parity: ${reason}`)
}
