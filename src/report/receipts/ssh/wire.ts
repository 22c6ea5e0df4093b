/** Bytes that are not what they should be. */
export class BadBytes extends Error {}

/** Reads the fields of RFC 4251, section 5, one after the other. Throws {@link BadBytes}. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** The next `size` bytes. */
  take(size: number): Buffer {
    const end = this.#at + size
    if (end > this.#bytes.length) throw new BadBytes('it is cut off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  uint32(): number {
    return this.take(4).readUInt32BE()
  }

  /** A `string`: its length, and bytes. */
  string(): Buffer {
    return this.take(this.uint32())
  }

  text(): string {
    return this.string().toString('latin1')
  }

  /**
   * An `mpint` above 0, without the byte 0 that a high bit needs before it. Its one form only: with
   * two, one key had two fingerprints.
   */
  positive(): Buffer {
    const bytes = this.string()
    const [first = 0, second = 0] = bytes
    const isPadded = first === 0
    if (first >= 0x80 || (isPadded && second < 0x80))
      throw new BadBytes('a number in it is not above 0, or has zeros before it')
    return isPadded ? bytes.subarray(1) : bytes
  }

  /** Makes sure that nothing follows. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new BadBytes('something follows its end')
  }
}

/** The bytes of a text in base64, in its one form: RFC 4648, section 4. Throws {@link BadBytes}. */
export function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw new BadBytes('it is no base64')
  return bytes
}

/** Bytes as a `string`. */
export function stringOf(bytes: Buffer | string): Buffer {
  const data = Buffer.from(bytes)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(data.length)
  return Buffer.concat([size, data])
}
