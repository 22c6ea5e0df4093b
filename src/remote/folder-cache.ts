import { copyFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { errorCode } from '../base/files.ts'
import { putFile } from '../base/put-file.ts'
import { readRegularBytes } from '../base/regular.ts'
import type { LocalCandidate } from '../fetch/candidates.ts'
import { CacheFault, type Cache } from './cache.ts'
import { LARGEST_RECORD } from './record.ts'

/** A cache in a folder, such as one on a USB disk: the same files as on a server. */
export class FolderCache implements Cache {
  readonly shown: string
  readonly #root: string

  constructor(root: string) {
    this.#root = root
    this.shown = root
  }

  async record(name: Digest): Promise<Uint8Array | undefined> {
    const path = join(this.#root, 'ac', name)
    const found = await this.#try(() => readRegularBytes(path, LARGEST_RECORD, 'follow'))
    if (found === false) return undefined
    if (found === undefined) throw new CacheFault(`"${path}" is no record`)
    return found
  }

  blob(digest: Digest): LocalCandidate {
    const path = this.#blob(digest)
    return { kind: 'local', label: `cache, "${path}"`, path, proves: undefined }
  }

  async hasBlob(digest: Digest, size: number): Promise<boolean> {
    const found = await this.#try(() => stat(this.#blob(digest)))
    return found !== false && found.size === size
  }

  async putBlob(digest: Digest, path: string): Promise<void> {
    await this.#put('cas', digest, (part) => copyFile(path, part))
  }

  async putRecord(name: Digest, record: Uint8Array): Promise<void> {
    await this.#put('ac', name, (part) => writeFile(part, record, { flag: 'wx' }))
  }

  #blob(digest: Digest): string {
    return join(this.#root, 'cas', digest)
  }

  async #put(
    room: 'ac' | 'cas',
    name: Digest,
    write: (part: string) => Promise<void>,
  ): Promise<void> {
    const done = await this.#try(() => putFile(this.#root, `${room}/${name}`, write))
    // It is not made: the disk that it is on may not be there.
    if (done === false) throw new CacheFault('there is no such folder')
  }

  /** What an operation gives; false where nothing is there. */
  async #try<T>(operation: () => Promise<T>): Promise<T | false> {
    try {
      return await operation()
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return false
      throw new CacheFault(error instanceof Error ? error.message : String(error), {
        cause: error,
      })
    }
  }
}
