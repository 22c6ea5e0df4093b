import { createHash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { openFile } from '../../base/beneath.ts'
import { CHUNK, isZero } from '../../base/chunks.ts'
import { asDigest, type Digest } from '../../base/digest.ts'
import type { Turns } from '../../base/turns.ts'
import { BLOCK, decodeEntry, malformed, padding, type TarEntry } from './tar-header.ts'

/** Reads a tar and hashes it on the way. */
export class TarReader {
  readonly #fd: number
  readonly #hash = createHash('sha256')
  readonly #buffer = Buffer.allocUnsafe(CHUNK)
  /** Where the bytes in the buffer begin and end that nobody took yet. */
  #from = 0
  #to = 0
  /** Bytes of the file that were read, and all that it has. */
  #read = 0
  readonly #size: number

  /** Throws `not-a-file`, or the system's error. */
  constructor(path: string) {
    const { fd, stat } = openFile(path)
    this.#fd = fd
    this.#size = stat.size
  }

  /**
   * The entries, each with its content in chunks. Take the whole content before the next entry. A
   * chunk is valid until the next chunk or entry. Fails with `artifact-format` for anything that
   * {@link encodeEntry} does not write: it is damaged or was not made here.
   */
  async *entries(turns: Turns): AsyncGenerator<{ entry: TarEntry; content: Iterable<Buffer> }> {
    for (let block = this.#take(BLOCK); !isZero(block); block = this.#take(BLOCK)) {
      const entry = decodeEntry(Buffer.from(block), (length) => this.#take(length))
      yield { entry, content: this.#content(entry.type === 'file' ? entry.size : 0) }
      await turns.pass()
    }
    if (!isZero(this.#take(BLOCK)) || this.#left !== 0)
      throw malformed('something stands behind its end')
  }

  /** Digest of all bytes, once {@link entries} has ended. */
  digest(): Digest {
    return asDigest(this.#hash.digest('hex'))
  }

  close(): void {
    closeSync(this.#fd)
  }

  *#content(size: number): Generator<Buffer> {
    if (size > this.#left) throw malformed('it ends early')
    // Whole chunks, so that their blocks stay aligned.
    for (let left = size; left > 0; left -= CHUNK) yield this.#take(Math.min(left, CHUNK))
    if (!isZero(this.#take(padding(size)))) throw malformed('something stands behind a content')
  }

  /** Bytes that were not taken yet. */
  get #left(): number {
    return this.#size - this.#read + this.#to - this.#from
  }

  /** The next `length` bytes, at most a chunk; valid until the next call. */
  #take(length: number): Buffer {
    while (this.#to - this.#from < length) {
      this.#buffer.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
      const read = readSync(this.#fd, this.#buffer, this.#to, CHUNK - this.#to, this.#read)
      if (read === 0) throw malformed('it ends early')
      this.#to += read
      this.#read += read
    }
    const taken = this.#buffer.subarray(this.#from, (this.#from += length))
    this.#hash.update(taken)
    return taken
  }
}
