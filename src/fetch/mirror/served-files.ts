import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { Folder } from '../../base/beneath.ts'
import { digestOf, digestOfOpenFile, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { openRegular } from '../../base/regular.ts'
import { Turns } from '../../base/turns.ts'
import type { MirrorFault } from './faults.ts'
import { parseSums, requireList, SUMS } from './list.ts'

/** A file that is sent. Its user closes it. */
export interface ServedFile {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Bytes from `at` on, at most so many; none at the end. */
  read(at: number, most: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** A list as it was read, and the state of its file then. */
interface KnownList {
  readonly state: string
  readonly bytes: Buffer
  readonly digest: Digest
  readonly sums: ReadonlyMap<string, Digest>
}

/**
 * The files of a mirror that a server may send: those that are listed and have the bytes that the
 * list says, and the list itself. The folder is opened again for each of them, since its disk may
 * come and go. A file is read whole before it is sent the first time, since its digest is what
 * caches know it by; and again when it was changed.
 */
export class ServedFiles {
  readonly #path: string
  readonly #onFault: (fault: MirrorFault) => void
  readonly #turns: Turns
  #list: KnownList | undefined
  /** Whether a file of that state is right, by name. */
  readonly #checked = new Map<string, { state: string; isRight: Promise<boolean> }>()

  /** `onFault` is called for each file that is found to have other bytes. */
  constructor(path: string, onFault: (fault: MirrorFault) => void, signal: AbortSignal) {
    this.#path = path
    this.#onFault = onFault
    this.#turns = new Turns(signal)
  }

  /** Opens a file; undefined where the mirror has none of that name, or a damaged one. */
  async open(name: string): Promise<ServedFile | undefined> {
    const folder = Folder.open(this.#path)
    try {
      const list = await this.#listOf(folder)
      if (name === SUMS) return listFile(list)
      const digest = list.sums.get(name)
      return digest === undefined ? undefined : await this.#openListed(folder, name, digest)
    } finally {
      folder.close()
    }
  }

  async #listOf(folder: Folder): Promise<KnownList> {
    const found = folder.stat(SUMS)
    const state = found === undefined ? '' : stateOf(found)
    if (this.#list?.state === state) return this.#list
    const bytes = await requireList(folder)
    const sums = parseSums(bytes.toString())
    for (const known of this.#checked.keys()) if (!sums.has(known)) this.#checked.delete(known)
    return (this.#list = { state, bytes, digest: digestOf(bytes), sums })
  }

  async #openListed(folder: Folder, name: string, digest: Digest): Promise<ServedFile | undefined> {
    const file = await openThere(folder, name)
    if (file === undefined) return undefined
    try {
      const stat = await file.stat()
      if (await this.#isRight(file, stat, name, digest)) return servedFile(file, stat.size, digest)
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    return undefined
  }

  /** Many may ask for a file at once; it is read once. */
  #isRight(file: FileHandle, stat: Stats, name: string, digest: Digest): Promise<boolean> {
    const state = `${digest} ${stateOf(stat)}`
    const known = this.#checked.get(name)
    if (known?.state === state) return known.isRight
    const isRight = digestOfOpenFile(file.fd, this.#turns).then((found) => {
      if (found !== digest) this.#onFault({ kind: 'bad', path: name, wanted: digest, found })
      return found === digest
    })
    this.#checked.set(name, { state, isRight })
    isRight.catch(() => this.#checked.delete(name))
    return isRight
  }
}

/** Undefined for what is missing, and for a link, folder, pipe or device. */
async function openThere(folder: Folder, name: string): Promise<FileHandle | undefined> {
  try {
    return await openRegular(folder.at(name), 'refuse')
  } catch (error) {
    const isNone = ['ENOENT', 'ELOOP', 'ENXIO'].includes(errorCode(error) ?? '')
    if (isNone || error instanceof FixpointError) return undefined
    throw error
  }
}

function servedFile(file: FileHandle, size: number, digest: Digest): ServedFile {
  return {
    digest,
    size,
    read: async (at, most) => {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(most), 0, most, at)
      return buffer.subarray(0, bytesRead)
    },
    close: () => file.close(),
  }
}

function listFile({ bytes, digest }: KnownList): ServedFile {
  return {
    digest,
    size: bytes.length,
    read: (at, most) => Promise.resolve(bytes.subarray(at, at + most)),
    close: () => Promise.resolve(),
  }
}

/** Changes with the file. */
function stateOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ')
}
