import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { commitFile, errorCode, exists } from '../base/files.ts'
import type { Installed } from './installed.ts'

/** What blobs need of the store around them. */
export interface BlobsOwner {
  /** A fresh path on the store's file system that does not outlive a crash. */
  readonly temporaryPath: (label: string) => Promise<string>
  /** Told of each damaged blob, when it was set aside. */
  readonly onDamage: (digest: Digest, reason: string) => void
}

/** Sources and artifacts by digest, below `blobs/`; what is installed on the machine is there as soon as it is asked for. */
export class Blobs {
  readonly #root: string
  readonly #owner: BlobsOwner
  readonly #installed: Installed | undefined
  readonly #checked = new Map<Digest, Promise<void>>()

  constructor(root: string, owner: BlobsOwner, installed: Installed | undefined) {
    this.#root = root
    this.#owner = owner
    this.#installed = installed
  }

  /** Where the blob `digest` lies, or would lie. */
  path(digest: Digest): string {
    return join(this.#root, 'blobs', digest.slice(0, 2), digest)
  }

  /** True when there is a blob of that name; its bytes are not read. */
  has(digest: Digest): boolean {
    return existsSync(this.path(digest)) || this.#installed?.has(digest) === true
  }

  /** Moves the file at `path` in as the blob `digest`, after hashing it. Fails with `blob-digest` when it is another file. */
  async adopt(path: string, digest: Digest): Promise<void> {
    const actual = await digestOfFile(path)
    if (actual !== digest) {
      throw new FixpointError('fetch', 'blob-digest', `Cannot store "${path}": sha256 is ${actual}, wanted ${digest}`)
    }
    await this.commit(path, digest)
  }

  /** Moves the file at `path` in as the blob `digest`, which its maker hashed as it was written. */
  commit(path: string, digest: Digest): Promise<void> {
    return commitFile(path, this.path(digest))
  }

  /**
   * Makes sure, once in a session, that the blob still has its digest. A damaged one is moved to `damaged/` and named by `blob-damaged`, so
   * that the next look finds it missing and it is fetched or built again. One that is not there at all is `blob-missing`.
   */
  check(digest: Digest): Promise<void> {
    let check = this.#checked.get(digest)
    if (check === undefined) {
      check = this.#hash(digest)
      this.#checked.set(digest, check)
      check.catch(() => this.#checked.delete(digest))
    }
    return check
  }

  async #hash(digest: Digest): Promise<void> {
    await this.provide(digest)
    const actual = await this.actual(digest)
    if (actual !== digest) await this.reject(digest, actual)
  }

  /** The digest that the blob's bytes have now. Fails with `blob-missing`. */
  async actual(digest: Digest): Promise<Digest> {
    try {
      return await digestOfFile(this.path(digest))
    } catch (error) {
      // Another action, or another engine, may have found it damaged just before.
      if (errorCode(error) !== 'ENOENT') throw error
      throw new FixpointError('fetch', 'blob-missing', `Cannot use stored blob ${digest}: it is gone`, { cause: error })
    }
  }

  /** Sets the blob, whose digest is `actual` now, aside. Always fails, with `blob-damaged`. */
  async reject(digest: Digest, actual: Digest): Promise<never> {
    const kept = join(this.#root, 'damaged', digest)
    await rename(this.path(digest), kept).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error
    })
    this.#owner.onDamage(digest, `sha256 is ${actual}; set aside as ${kept}`)
    throw new FixpointError('fetch', 'blob-damaged', `Cannot use stored blob ${digest}: sha256 is ${actual}`, {
      hint: `It is kept as "${kept}"; run again to fetch or build it anew`,
    })
  }

  /** Packs an installed artifact that is not below `blobs/` yet. Does nothing for others. Fails with `installed-damaged`. */
  async provide(digest: Digest): Promise<void> {
    if (this.#installed?.has(digest) !== true || (await exists(this.path(digest)))) return
    const path = await this.#owner.temporaryPath('installed')
    await this.#installed.pack(digest, path)
    await this.commit(path, digest)
  }
}
