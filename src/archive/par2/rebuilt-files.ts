import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { beneath } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { BEGINNING } from './describe-file.ts'
import { createNew, readAt, writeAt } from './files-below.ts'
import type { ProtectedFile } from './recovery-set.ts'
import type { Work } from './work.ts'

const PIECE = 1 << 20

/** New files below a folder, which are filled in pieces and then checked. */
export class RebuiltFiles {
  readonly #root: string
  readonly #made: string[] = []
  readonly #folders: string[] = []
  #last: { readonly name: string; readonly fd: number } | undefined

  constructor(root: string) {
    this.#root = root
  }

  /** Makes a file of its size, full of zeros, and the folders above it. */
  create({ name, size }: ProtectedFile): void {
    for (let end = name.indexOf('/'); end !== -1; end = name.indexOf('/', end + 1))
      this.#makeFolder(name.slice(0, end))
    const fd = beneath(this.#root, name, createNew)
    this.#made.push(name)
    this.close()
    this.#last = { name, fd }
    ftruncateSync(fd, size)
  }

  /** Writes a piece of a file that was made. */
  write(name: string, data: Uint8Array, position: number): void {
    if (this.#last?.name !== name) {
      this.close()
      const fd = beneath(this.#root, name, (folder, entry) =>
        openSync(folder.at(entry), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK),
      )
      this.#last = { name, fd }
    }
    writeAt(this.#last.fd, data, position)
  }

  /** Reads a file back and makes it durable. Fails with `parity-not-rebuilt` for a wrong digest. */
  async check({ name, size, md5, md5Of16k }: ProtectedFile, work: Work): Promise<void> {
    this.close()
    const fd = beneath(this.#root, name, (folder, entry) => folder.read(entry))
    try {
      const hash = createHash('md5')
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, size + 1))
      let beginning = createHash('md5').digest('hex')
      for (let at = 0; at < size; at += buffer.length) {
        const piece = buffer.subarray(0, Math.min(buffer.length, size - at))
        readAt(fd, piece, at)
        hash.update(piece)
        if (at === 0) {
          const first = piece.subarray(0, BEGINNING)
          beginning = createHash('md5').update(first).digest('hex')
        }
        await work.did(piece.length)
      }
      fsyncSync(fd)
      if (hash.digest('hex') !== md5 || beginning !== md5Of16k) throw notRebuilt(name)
    } finally {
      closeSync(fd)
    }
  }

  /** Removes all that was made. */
  remove(): void {
    this.close()
    for (const name of this.#made)
      beneath(this.#root, name, (folder, entry) => unlinkSync(folder.at(entry)))
    for (const name of this.#folders.reverse())
      beneath(this.#root, name, (folder, entry) => rmdirSync(folder.at(entry)))
  }

  close(): void {
    if (this.#last !== undefined) closeSync(this.#last.fd)
    this.#last = undefined
  }

  #makeFolder(path: string): void {
    const isNew = beneath(this.#root, path, (folder, entry) => {
      if (folder.stat(entry) !== undefined) return false
      mkdirSync(folder.at(entry))
      return true
    })
    if (isNew) this.#folders.push(path)
  }
}

function notRebuilt(name: string): FixpointError {
  return new FixpointError(
    'parity-not-rebuilt',
    `Cannot rebuild "${name}": what was made of its blocks has another MD5`,
  )
}
