import { createHash } from 'node:crypto'

/** Bytes of the head of every packet: magic, length, MD5, set and type. */
export const HEAD = 64

/** Bytes at the beginning of every packet. */
export const MAGIC = Buffer.from('PAR2\0PKT', 'latin1')

/** Bytes of a packet that its MD5 does not cover. */
export const UNHASHED = 32

/** Packets that are used here, by the type that the specification of PAR2 2.0 gives them. */
const TYPES = {
  main: 'PAR 2.0\0Main\0\0\0\0',
  file: 'PAR 2.0\0FileDesc',
  checksums: 'PAR 2.0\0IFSC\0\0\0\0',
  recovery: 'PAR 2.0\0RecvSlic',
  creator: 'PAR 2.0\0Creator\0',
} as const

export type PacketType = keyof typeof TYPES

const BY_TYPE = new Map<string, PacketType>(
  Object.entries(TYPES).map(([type, text]) => [text, type as PacketType]),
)

/** What the head of a packet says. MD5 and set in hexadecimal; `length` includes the head. */
export interface PacketHead {
  readonly length: number
  readonly md5: string
  readonly set: string
  readonly type: PacketType
}

/**
 * Reads the head of a packet from its 64 bytes; undefined when it is none, or one of another type
 * or of a length that no packet has.
 */
export function readHead(bytes: Buffer): PacketHead | undefined {
  if (bytes.length < HEAD || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const length = bytes.readBigUInt64LE(8)
  const type = BY_TYPE.get(bytes.toString('latin1', 48, HEAD))
  if (type === undefined || length % 4n !== 0n || length < HEAD) return undefined
  if (length > Number.MAX_SAFE_INTEGER) return undefined
  return {
    length: Number(length),
    md5: bytes.toString('hex', 16, 32),
    set: bytes.toString('hex', 32, 48),
    type,
  }
}

/** The part of a head that the packet's MD5 covers. `set` in hexadecimal. */
export function hashedHead(set: string, type: PacketType): Buffer {
  return Buffer.concat([Buffer.from(set, 'hex'), Buffer.from(TYPES[type], 'latin1')])
}

/** The head of a packet whose MD5 is known. `length` in bytes, head included. */
export function packetHead(
  set: string,
  type: PacketType,
  { length, md5 }: { readonly length: number; readonly md5: Uint8Array },
): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(length))
  return Buffer.concat([MAGIC, size, md5, hashedHead(set, type)])
}

/** A whole packet. The body's length is a multiple of 4. */
export function packet(set: string, type: PacketType, body: Buffer): Buffer {
  const md5 = createHash('md5').update(hashedHead(set, type)).update(body).digest()
  return Buffer.concat([packetHead(set, type, { length: HEAD + body.length, md5 }), body])
}
