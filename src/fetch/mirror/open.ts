import { unlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Folder } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode, explainDiskFull, makeFolder } from '../../base/files.ts'
import { replaceFile } from '../../base/replace-file.ts'
import { systemReason } from '../../base/system-error.ts'
import { visible } from '../../base/visible.ts'
import { takeLock, type Lock } from '../../store/local/lock.ts'
import {
  editList,
  noList,
  parseSums,
  readList,
  requireList,
  SUMS,
  type MirrorFile,
} from './list.ts'

/**
 * What a folder has to be: a mirror already; or that or nothing yet, so that no other folder is
 * filled by mistake; or anything.
 */
export type Before = 'mirror' | 'mirror-or-empty' | 'anything'

/** Milliseconds after which the list is written again, while files come. */
const SAVED_EVERY = 1000

/** Unfinished files of a run that was killed. */
const PART = /^\.(?:[0-9a-f]{64}|SHA256SUMS)\.part$/

/**
 * A mirror folder that is written to. Its list on disk is true at every moment: a file is there
 * before it is listed, and is listed no more before it goes.
 */
export class OpenMirror {
  readonly folder: Folder
  #list: Buffer
  readonly #sums: Map<string, Digest>
  readonly #added: MirrorFile[] = []
  #saved = performance.now()

  constructor(folder: Folder, list: Buffer) {
    this.folder = folder
    this.#list = list
    this.#sums = new Map(parseSums(list.toString()))
  }

  /** Name to digest of all files that are listed. */
  get sums(): ReadonlyMap<string, Digest> {
    return this.#sums
  }

  /** Lists a file that is there. */
  async add(file: MirrorFile): Promise<void> {
    if (this.#sums.get(file.name) === file.digest) return
    this.#sums.set(file.name, file.digest)
    this.#added.push(file)
    if (performance.now() - this.#saved > SAVED_EVERY) await this.save()
  }

  /** Removes a file and its line. */
  async remove(name: string): Promise<void> {
    await this.save()
    await this.#write(editList(this.#list, { drop: new Set([name]) }))
    this.#sums.delete(name)
    if (this.folder.stat(name) !== undefined) unlinkSync(this.folder.at(name))
  }

  /** Writes the lines of files that were added. */
  async save(): Promise<void> {
    if (this.#added.length === 0) return
    await this.#write(editList(this.#list, { add: this.#added }))
    this.#added.length = 0
  }

  async #write(list: Buffer): Promise<void> {
    await writeList(this.folder, list)
    this.#list = list
    this.#saved = performance.now()
  }
}

/**
 * Calls `use` with the mirror at `path`, which is made if it may be. One process at a time writes
 * to a mirror. Whatever `use` added is listed, also when it fails. Fails with `no-mirror-list`,
 * `mirror-there`, `mirror-busy`, `mirror-entry`, `disk-full` or `host-refuses`.
 */
export async function withMirror<T>(
  path: string,
  before: Before,
  use: (mirror: OpenMirror) => Promise<T>,
): Promise<T> {
  if (before !== 'mirror') await makeFolder(path)
  const folder = openMirrorFolder(path)
  try {
    const lock = await lockMirror(path)
    try {
      return await savedAfter(await openMirror(folder, before), use)
    } catch (error) {
      throw explainMirrorError(error, path)
    } finally {
      await lock?.release()
    }
  } finally {
    folder.close()
  }
}

/** Opens a folder that should be a mirror. Fails with `no-mirror-list`. */
export function openMirrorFolder(path: string): Folder {
  try {
    return Folder.open(path)
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'nothing is there' : systemReason(cause)
    if (reason === undefined) throw cause
    throw noList(path, reason, cause)
  }
}

async function openMirror(folder: Folder, before: Before): Promise<OpenMirror> {
  const found = before === 'mirror' ? await requireList(folder) : await readList(folder)
  const list = found ?? Buffer.alloc(0)
  const mirror = new OpenMirror(folder, list)
  removeParts(mirror)
  if (found !== undefined) return mirror
  if (before !== 'anything') requireEmpty(folder)
  // What a killed run leaves is then known as a mirror.
  await writeList(folder, list)
  return mirror
}

/** Fails with `mirror-there` where a folder without a list holds anything. */
function requireEmpty(folder: Folder): void {
  const [first] = folder.names()
  if (first === undefined) return
  throw new FixpointError(
    'mirror-there',
    `Cannot make "${folder.shown}" a mirror: it holds something else, such as ` +
      `"${visible(first.toString())}"`,
  )
}

async function savedAfter<T>(
  mirror: OpenMirror,
  use: (mirror: OpenMirror) => Promise<T>,
): Promise<T> {
  try {
    const result = await use(mirror)
    await mirror.save()
    return result
  } catch (error) {
    await mirror.save().catch(() => undefined) // the first error says more
    throw error
  }
}

async function writeList(folder: Folder, list: Buffer): Promise<void> {
  await replaceFile(folder, SUMS, (part) => writeFile(part, list, { flag: 'wx' }), `.${SUMS}.part`)
}

function removeParts({ folder, sums }: OpenMirror): void {
  for (const entry of folder.entries()) {
    const name = entry.name.toString()
    if (PART.test(name) && !sums.has(name) && !entry.isDirectory()) unlinkSync(folder.at(name))
  }
}

/**
 * Some file systems of servers cannot lock a folder. There, whoever starts two commands at once has
 * to start one of them again.
 */
async function lockMirror(path: string): Promise<Lock | undefined> {
  let lock: Lock | undefined
  try {
    lock = await takeLock(resolve(path), { tryOnly: true })
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'lock-failed') return undefined
    throw error
  }
  if (lock !== undefined) return lock
  throw new FixpointError(
    'mirror-busy',
    `Cannot write to mirror "${path}": another command does so now`,
  )
}

/** What the system's errors mean for a mirror that is written to. */
function explainMirrorError(error: unknown, path: string): unknown {
  if (error instanceof FixpointError) return error
  // The folder is held open: what it holds is missing only when the folder itself is.
  const reason = errorCode(error) === 'ENOENT' ? 'the folder is gone' : systemReason(error)
  if (reason === undefined) return explainDiskFull(error, path)
  return new FixpointError('host-refuses', `Cannot write to mirror "${path}": ${reason}`, {
    cause: error,
  })
}
