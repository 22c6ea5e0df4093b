import { constants } from 'node:fs'
import { copyFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { digestOfFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { hostPartName, isPartOfHost } from '../base/part-name.ts'
import { putFile } from '../base/put-file.ts'
import { readRegularBytes } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'
import type { LocalCandidate } from '../fetch/candidates.ts'
import { takeLock, type Lock } from '../store/local/lock.ts'
import { CacheFault, type Cache } from './cache.ts'
import { LARGEST_RECORD } from './record.ts'

/** Folders of a cache: records and blobs. */
type Room = 'ac' | 'cas'

/** A cache in a folder, such as one on a USB disk: the same files as on a server. */
export class FolderCache implements Cache {
  readonly shown: string
  readonly #root: string
  #cleaned: Promise<void> | undefined

  constructor(root: string) {
    this.#root = root
    this.shown = root
  }

  async record(name: Digest): Promise<Uint8Array | undefined> {
    const path = join(this.#root, 'ac', name)
    const found = await this.#try('ac', () => readRegularBytes(path, LARGEST_RECORD, 'follow'))
    if (found === false) return undefined
    if (found === undefined) throw new CacheFault(`"${path}" is no record`)
    return found
  }

  blob(digest: Digest): LocalCandidate {
    const path = this.#blob(digest)
    return { kind: 'local', label: `cache, "${path}"`, path, proves: undefined }
  }

  async hasBlob(digest: Digest, size: number): Promise<boolean> {
    const found = await this.#try('cas', () => stat(this.#blob(digest)))
    return found !== false && found.isFile() && found.size === size
  }

  async hasSoundBlob(digest: Digest, size: number, signal: AbortSignal): Promise<boolean> {
    if (!(await this.hasBlob(digest, size))) return false
    try {
      return (await digestOfFile(this.#blob(digest), signal)) === digest
    } catch {
      signal.throwIfAborted()
      // What cannot be read is no use there, and is replaced.
      return false
    }
  }

  async putBlob(digest: Digest, path: string): Promise<void> {
    await this.#put('cas', digest, (part) => copyFile(path, part, constants.COPYFILE_EXCL))
  }

  async putRecord(name: Digest, record: Uint8Array): Promise<void> {
    await this.#put('ac', name, (part) => writeFile(part, record, { flag: 'wx' }))
  }

  #blob(digest: Digest): string {
    return join(this.#root, 'cas', digest)
  }

  /** While it writes, it keeps others of this host from taking its part for one that is left. */
  async #put(room: Room, name: Digest, write: (part: string) => Promise<void>): Promise<void> {
    const done = await this.#try(room, async () => {
      // It is not made: the disk that it is on may not be there.
      await this.#requireFolder()
      await (this.#cleaned ??= this.#clean())
      const lock = await this.#lock({ shared: true })
      try {
        await putFile(this.#root, `${room}/${name}`, write, hostPartName(hostname()))
      } finally {
        await lock?.release()
      }
    })
    if (done === false) throw new CacheFault('the folder went away')
  }

  /** Removes what killed runs of this host left, unless one writes now. */
  async #clean(): Promise<void> {
    const lock = await this.#lock({ tryOnly: true })
    if (lock === undefined) return
    try {
      for (const room of ['ac', 'cas']) {
        const names = await readdir(join(this.#root, room)).catch(() => [])
        for (const name of names)
          if (isPartOfHost(name, hostname()))
            await rm(join(this.#root, room, name), { force: true }).catch(() => undefined)
      }
    } finally {
      await lock.release()
    }
  }

  /** Some file systems cannot lock a folder: there it is undefined, and nothing is removed. */
  async #lock(how: { shared?: boolean; tryOnly?: boolean }): Promise<Lock | undefined> {
    try {
      // A name that cannot become a file, should the folder go away.
      return await takeLock(`${this.#root}/.`, how)
    } catch (error) {
      if (error instanceof FixpointError && error.code === 'lock-failed') return undefined
      throw error
    }
  }

  /** What an operation in a room gives; false where nothing is there. */
  async #try<T>(room: Room, operation: () => Promise<T>): Promise<T | false> {
    try {
      return await operation()
    } catch (error) {
      if (error instanceof CacheFault) throw error
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) {
        await this.#requireFolder()
        await this.#requireRoom(room)
        return false
      }
      throw asFault(error)
    }
  }

  async #requireFolder(): Promise<void> {
    const found = await stat(this.#root).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? ''))
        throw new CacheFault('there is no such folder', { cause: error })
      throw asFault(error)
    })
    if (!found.isDirectory()) throw new CacheFault('it is no folder')
  }

  /** A new cache has none yet. */
  async #requireRoom(room: Room): Promise<void> {
    const path = join(this.#root, room)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && !found.isDirectory()) throw new CacheFault(`"${path}" is no folder`)
  }
}

function asFault(error: unknown): CacheFault {
  const message = error instanceof Error ? error.message : String(error)
  return new CacheFault(systemReason(error) ?? message, { cause: error })
}
