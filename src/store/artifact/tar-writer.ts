import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { CHUNK, endSparse, writeSparse } from '../../base/chunks.ts'
import { asDigest, type Digest } from '../../base/digest.ts'
import { BLOCK, padding } from './tar-header.ts'

/** What ends a tar. */
const END = Buffer.alloc(2 * BLOCK)

/** Writes a tar to a file, or only hashes it. */
export class TarWriter {
  readonly #fd: number | undefined
  readonly #hash = createHash('sha256')
  readonly #buffer = Buffer.allocUnsafe(CHUNK)
  #filled = 0
  #written = 0

  /** Replaces the file `target`. Throws the system's error, as all its methods do. */
  constructor(target: string | undefined) {
    this.#fd = target === undefined ? undefined : openSync(target, 'w')
  }

  /** Bytes so far. */
  get size(): number {
    return this.#written + this.#filled
  }

  write(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const part = data.subarray(at, at + CHUNK - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === CHUNK) this.#flush()
    }
  }

  /** Ends the content of an entry. */
  pad(size: number): void {
    this.write(END.subarray(0, padding(size)))
  }

  /** Ends the tar. */
  end(): { readonly digest: Digest; readonly size: number } {
    this.write(END)
    this.#flush()
    if (this.#fd !== undefined) endSparse(this.#fd, this.#written)
    return { digest: asDigest(this.#hash.digest('hex')), size: this.size }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  #flush(): void {
    const data = this.#buffer.subarray(0, this.#filled)
    this.#hash.update(data)
    if (this.#fd !== undefined) writeSparse(this.#fd, data, this.#written)
    this.#written += this.#filled
    this.#filled = 0
  }
}
