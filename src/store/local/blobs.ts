import { closeSync, lstatSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { openFile, type OpenFile } from '../../base/beneath.ts'
import { digestOfOpenFile, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { commitFile } from '../../base/commit-file.ts'
import { errorCode, ifThere } from '../../base/files.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { Turns } from '../../base/turns.ts'
import type { Blobs } from '../rooms.ts'
import type { ReportDamage } from './damage.ts'
import type { Installed } from './installed.ts'
import { blobPath, NO_FILE } from './layout.ts'
import type { Session } from './session.ts'

/**
 * Blobs as `blobs/12/1234…`. What is installed on the machine counts as there, and is packed when
 * someone asks for its file.
 */
export class LocalBlobs implements Blobs {
  readonly #root: string
  readonly #session: Session
  readonly #report: ReportDamage
  readonly #installed: Installed | undefined
  readonly #checked = new Map<Digest, Promise<void>>()

  constructor(
    root: string,
    session: Session,
    report: ReportDamage,
    installed: Installed | undefined,
  ) {
    this.#root = root
    this.#session = session
    this.#report = report
    this.#installed = installed
  }

  has(digest: Digest): boolean {
    return this.#kind(digest) === 'file' || this.#installed?.has(digest) === true
  }

  async file(digest: Digest, signal?: AbortSignal): Promise<string> {
    let check = this.#checked.get(digest)
    if (check === undefined) {
      check = this.check(digest, signal)
      this.#checked.set(digest, check)
      check.catch(() => this.#checked.delete(digest))
    }
    await check
    return blobPath(this.#root, digest)
  }

  async uncheckedFile(digest: Digest, signal?: AbortSignal): Promise<string> {
    const path = blobPath(this.#root, digest)
    if (this.#installed?.has(digest) === true && this.#kind(digest) !== 'file') {
      const packed = await this.#session.temporaryPath('installed')
      await this.#installed.pack(digest, packed, signal)
      await this.commit(packed, digest)
    }
    return path
  }

  async check(digest: Digest, signal?: AbortSignal): Promise<void> {
    const fault = await blobFault(await this.uncheckedFile(digest, signal), digest, signal)
    if (fault === undefined) return
    const kept = await this.#setAside(digest, fault)
    throw new FixpointError('blob-damaged', `Cannot use stored blob ${digest}: ${fault}`, {
      facts: { file: kept },
    })
  }

  async commit(path: string, digest: Digest): Promise<void> {
    if (this.#kind(digest) === 'other') await this.#setAside(digest, NO_FILE)
    await commitFile(path, blobPath(this.#root, digest))
  }

  #kind(digest: Digest): 'file' | 'other' | undefined {
    const stat = lstatSync(blobPath(this.#root, digest), { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    return stat.isFile() ? 'file' : 'other'
  }

  async #setAside(digest: Digest, reason: string): Promise<string> {
    const kept = join(this.#root, 'damaged', digest)
    await removeTree(kept)
    await ifThere(rename(blobPath(this.#root, digest), kept))
    this.#report('blob', digest, `${reason}; set aside as ${kept}`)
    return kept
  }
}

/**
 * Reads the file at `path` and reports what is wrong with it as the blob `digest`. Fails with
 * `blob-missing`.
 */
export async function blobFault(
  path: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const turns = new Turns(signal)
  const open = openBlob(path, digest)
  if (open === undefined) return NO_FILE
  try {
    const actual = await digestOfOpenFile(open.fd, turns)
    return actual === digest ? undefined : `sha256 is ${actual}`
  } finally {
    closeSync(open.fd)
  }
}

/** The open file; undefined for what is no file. */
function openBlob(path: string, digest: Digest): OpenFile | undefined {
  try {
    return openFile(path)
  } catch (error) {
    if (error instanceof FixpointError) return undefined
    // Another action, or another engine, may just have found it damaged.
    if (errorCode(error) !== 'ENOENT') throw error
    throw new FixpointError('blob-missing', `Cannot use stored blob ${digest}: it is missing`, {
      cause: error,
    })
  }
}
