import { closeSync, lstatSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { openFile, type OpenFile } from '../base/beneath.ts'
import { digestOfFile, digestOfOpenFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { commitFile, errorCode, removeTree } from '../base/files.ts'
import { Turns } from '../base/turns.ts'
import type { Installed } from './installed.ts'
import { NO_FILE } from './layout.ts'

/** What blobs need of the store around them. */
export interface BlobsOwner {
  /** A fresh path on the store's file system that does not outlive a crash. */
  readonly temporaryPath: (label: string) => Promise<string>
  /** Told of each damaged blob, when it was set aside. */
  readonly onDamage: (digest: Digest, reason: string) => void
}

/**
 * Sources and artifacts by digest, below `blobs/`; what is installed on the machine is there as
 * soon as it is asked for.
 */
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
    return this.#kind(digest) === 'file' || this.#installed?.has(digest) === true
  }

  /**
   * Moves the file at `path` in as the blob `digest`, after hashing it. Fails with `blob-digest`
   * when it is another file.
   */
  async adopt(path: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    const actual = await digestOfFile(path, signal)
    if (actual !== digest) {
      throw new FixpointError(
        'fetch',
        'blob-digest',
        `Cannot store "${path}": sha256 is ${actual}, wanted ${digest}`,
      )
    }
    await this.commit(path, digest)
  }

  /**
   * Moves the file at `path` in as the blob `digest`, which its maker hashed as it was written.
   * What is no file in its place is set aside.
   */
  async commit(path: string, digest: Digest): Promise<void> {
    if (this.#kind(digest) === 'other') await this.#setAside(digest, NO_FILE)
    await commitFile(path, this.path(digest))
  }

  /**
   * Makes sure, once in a session, that the blob still has its digest. A damaged one is moved to
   * `damaged/` and named by `blob-damaged`, so that the next look finds it missing and it is
   * fetched or built again. One that is not there at all is `blob-missing`. Those who ask while it
   * is read share the first one's signal.
   */
  check(digest: Digest, signal?: AbortSignal): Promise<void> {
    let check = this.#checked.get(digest)
    if (check === undefined) {
      check = this.#check(digest, signal)
      this.#checked.set(digest, check)
      check.catch(() => this.#checked.delete(digest))
    }
    return check
  }

  async #check(digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    await this.provide(digest, signal)
    const fault = await this.fault(digest, signal)
    if (fault !== undefined) await this.reject(digest, fault)
  }

  /**
   * What is wrong with the blob's bytes, which are read; undefined when they have its digest. Fails
   * with `blob-missing`.
   */
  async fault(digest: Digest, signal?: AbortSignal): Promise<string | undefined> {
    const turns = new Turns(signal)
    const open = this.#open(digest)
    if (open === undefined) return NO_FILE
    try {
      const actual = await digestOfOpenFile(open.fd, turns)
      return actual === digest ? undefined : `sha256 is ${actual}`
    } finally {
      closeSync(open.fd)
    }
  }

  /** Sets the blob aside. Always fails, with `blob-damaged`. */
  async reject(digest: Digest, reason: string): Promise<never> {
    const kept = await this.#setAside(digest, reason)
    throw new FixpointError(
      'fetch',
      'blob-damaged',
      `Cannot use stored blob ${digest}: ${reason}`,
      {
        hint: `It is kept as "${kept}"; run again to fetch or build it anew`,
      },
    )
  }

  /** The blob, open; undefined when it is no file. */
  #open(digest: Digest): OpenFile | undefined {
    try {
      return openFile(this.path(digest))
    } catch (error) {
      if (error instanceof FixpointError) return undefined
      // Another action, or another engine, may have found it damaged just before.
      if (errorCode(error) !== 'ENOENT') throw error
      throw new FixpointError(
        'fetch',
        'blob-missing',
        `Cannot use stored blob ${digest}: it is gone`,
        { cause: error },
      )
    }
  }

  #kind(digest: Digest): 'file' | 'other' | undefined {
    const stat = lstatSync(this.path(digest), { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    return stat.isFile() ? 'file' : 'other'
  }

  async #setAside(digest: Digest, reason: string): Promise<string> {
    const kept = join(this.#root, 'damaged', digest)
    await removeTree(kept)
    await rename(this.path(digest), kept).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error
    })
    this.#owner.onDamage(digest, `${reason}; set aside as ${kept}`)
    return kept
  }

  /**
   * Packs an installed artifact that is not below `blobs/` yet. Does nothing for others. Fails with
   * `installed-damaged`.
   */
  async provide(digest: Digest, signal?: AbortSignal): Promise<void> {
    if (this.#installed?.has(digest) !== true || this.#kind(digest) === 'file') return
    const path = await this.#owner.temporaryPath('installed')
    await this.#installed.pack(digest, path, signal)
    await this.commit(path, digest)
  }
}
