/** First bytes of an archive of ar(1), as Debian's packages are. */
export const AR = '!<arch>\n'

const HEADER = 60

/**
 * The bytes of the first member of an archive of ar(1) whose name starts with `prefix`, while it is
 * read; see ar(5). Reads nothing behind that member. Fails with an Error for an archive that is
 * damaged or has no such member.
 */
export async function* arMember(
  archive: AsyncIterable<Buffer>,
  prefix: string,
): AsyncGenerator<Buffer> {
  const reader = new Reader(archive)
  if ((await reader.take(AR.length)).toString('latin1') !== AR) throw new Error('it is no archive')
  for (;;) {
    const header = (await reader.take(HEADER)).toString('latin1')
    const { name, size } = /^(?<name>.{16}).{32}(?<size>\d+) *`\n$/.exec(header)?.groups ?? {}
    if (name === undefined || size === undefined) throw new Error('a member has no header')
    if (name.startsWith(prefix)) {
      yield* reader.upTo(Number(size))
      return
    }
    // Members start at even places.
    await reader.pass(Number(size) + (Number(size) % 2))
  }
}

/** Takes a stream apart by counts of bytes. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** The next `count` bytes, in one piece. */
  async take(count: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for await (const piece of this.upTo(count)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  /** The next `count` bytes, as they come. */
  async *upTo(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      const piece = await this.#next(left)
      left -= piece.length
      yield piece
    }
  }

  /** Leaves out the next `count` bytes. */
  async pass(count: number): Promise<void> {
    for (let left = count; left > 0;) left -= (await this.#next(left)).length
  }

  /** Some of the next bytes, at most `limit`. */
  async #next(limit: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) throw new Error('it ends in the middle')
      this.#rest = next.value
    }
    const piece = this.#rest.subarray(0, limit)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }
}
