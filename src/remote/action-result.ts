import type { Digest } from '../base/digest.ts'

/*
 * The envelope of a record: an ActionResult of Bazel's Remote Execution API v2, whose field 2 names
 * the artifact and whose field 5 (stdout_raw) is the record. So a server that knows the format,
 * such as bazel-remote, answers only while it has the artifact, too. Encoding: Protocol Buffers.
 */

const OUTPUT_FILES = 2
const STDOUT_RAW = 5

/** Wraps the bytes of a record. `size` is that of the artifact. */
export function wrapRecord(artifact: Digest, size: number, record: Uint8Array): Buffer {
  const digest = [field(1, Buffer.from(artifact)), varint(2 << 3), varint(size)]
  const file = [field(1, Buffer.from('artifact.tar')), field(2, Buffer.concat(digest))]
  return Buffer.concat([field(OUTPUT_FILES, Buffer.concat(file)), field(STDOUT_RAW, record)])
}

/**
 * The bytes of the record in an envelope; undefined for what is none. Servers may have added fields
 * of their own.
 */
export function unwrapRecord(envelope: Uint8Array): Uint8Array | undefined {
  const reader = new Reader(envelope)
  let record: Uint8Array | undefined
  while (!reader.atEnd) {
    const tag = reader.varint()
    if (tag === undefined || (tag & 7) > 2 || (tag & 7) === 1) return undefined
    const value = (tag & 7) === 0 ? reader.varint() : reader.bytes()
    if (value === undefined) return undefined
    if (tag !== ((STDOUT_RAW << 3) | 2)) continue
    if (record !== undefined) return undefined
    record = value as Uint8Array
  }
  return record
}

function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

/** Reads numbers and bytes one after the other; undefined where they are cut off or too large. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number | undefined {
    let value = 0
    for (let factor = 1; factor <= 2 ** 63; factor *= 128) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) return undefined
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    return undefined
  }

  bytes(): Uint8Array | undefined {
    const length = this.varint()
    if (length === undefined || length > this.#bytes.length - this.#at) return undefined
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
