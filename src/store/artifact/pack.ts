import { createHash } from 'node:crypto'
import { closeSync, readlinkSync, type Stats } from 'node:fs'
import { Descent, Folder } from '../base/beneath.ts'
import { chunksOf } from '../base/chunks.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { byBytes } from '../base/order.ts'
import { Turns } from '../base/turns.ts'
import { LONGEST_PATH, type Entry, type Listing } from './listing.ts'
import { encodeEntry, TarWriter } from './tar.ts'

/** Result of packing a tree. */
export interface Packed {
  readonly digest: Digest
  /** Bytes of the tar. */
  readonly size: number
  readonly listing: Listing
}

/** Bytes of a tar. A hole takes no room, but each of its bytes is hashed: minutes for this many. */
const LARGEST = 64 * 2 ** 30

/** Characters of a path that is too long that a message shows. */
const SHOWN = 200

/**
 * Writes the tree below `root` to `target` as one tar that depends on names, modes, contents and
 * link targets alone: entries sorted by the bytes of their paths, owner 0:0, one constant time.
 * Hard links become separate files, so that no inode numbers matter. No link is followed. Fails
 * with `artifact-special-file` for anything but files, folders and symbolic links, with
 * `artifact-unreadable` for what its owner may not read, with `artifact-name` for names that are
 * not UTF-8 and paths that are too long, with `artifact-empty` for an empty tree, with
 * `artifact-too-large` for a tar of more than {@link LARGEST}, and with `artifact-changed` when the
 * tree is changed meanwhile.
 */
export async function packTree(
  root: string,
  target: string | undefined,
  signal?: AbortSignal,
): Promise<Packed> {
  const turns = new Turns(signal)
  const paths = await findPaths(root, turns)
  if (paths.length === 0) {
    throw new FixpointError(
      'buildFailed',
      'artifact-empty',
      'Cannot pack an empty tree: no step put anything into $OUT',
      {
        hint: 'Let a step install something into "$OUT"',
      },
    )
  }
  return packPaths(root, paths, target, turns)
}

/**
 * Like {@link packTree}, but only the paths of `listing`, which is sorted: what lies beside them is
 * not looked at. Without a target only hashes.
 */
export function packListed(
  root: string,
  listing: Listing,
  target: string | undefined,
  signal?: AbortSignal,
): Promise<Packed> {
  return packPaths(
    root,
    listing.map(({ path }) => path),
    target,
    new Turns(signal),
  )
}

async function packPaths(
  root: string,
  paths: readonly string[],
  target: string | undefined,
  turns: Turns,
): Promise<Packed> {
  const listing: Entry[] = []
  const tree = new Descent(Folder.open(root))
  try {
    const tar = new TarWriter(target)
    try {
      for (const path of paths) {
        listing.push(await addEntry(tar, tree, path, turns))
        await turns.pass()
      }
      return { ...tar.end(), listing }
    } finally {
      tar.close()
    }
  } finally {
    tree.close()
  }
}

/** Paths below `root`, relative, sorted by bytes; a folder comes before what it holds. */
async function findPaths(root: string, turns: Turns): Promise<string[]> {
  const paths: string[] = []
  const visit = async (folder: Folder, prefix: string): Promise<void> => {
    for (const entry of folder.entries()) {
      const name = entry.name.toString()
      const path = `${prefix}${name}`
      if (isMangled(name, entry.name)) throw unnameable(path, 'its name is not UTF-8')
      if (Buffer.byteLength(path) > LONGEST_PATH) throw tooLong(path)
      paths.push(path)
      await turns.pass()
      if (!entry.isDirectory()) continue
      requireReadable(path, statOf(folder, name, path).mode, 0o500)
      const inner = unchanged(path, () => folder.folder(name))
      await visit(inner, `${path}/`).finally(() => {
        inner.close()
      })
    }
  }
  const top = Folder.open(root)
  await visit(top, '').finally(() => {
    top.close()
  })
  return paths.sort(byBytes)
}

/**
 * Bytes that are not UTF-8 come out of Node as U+FFFD: such a name would be another one in the
 * artifact.
 */
function isMangled(text: string, bytes: Buffer): boolean {
  return !Buffer.from(text).equals(bytes)
}

function tooLong(path: string): FixpointError {
  return unnameable(
    `${path.slice(0, SHOWN)}…`,
    `its path has ${String(Buffer.byteLength(path))} bytes, at most ${String(LONGEST_PATH)} are possible`,
  )
}

function unnameable(path: string, reason: string): FixpointError {
  return new FixpointError('buildFailed', 'artifact-name', `Cannot pack "${path}": ${reason}`)
}

/**
 * Refuses what only root could read: an artifact must come out the same, and be usable, whoever
 * builds it.
 */
function requireReadable(path: string, mode: number, wanted: number): void {
  if ((mode & wanted) === wanted) return
  throw new FixpointError(
    'buildFailed',
    'artifact-unreadable',
    `Cannot pack "${path}": its mode ${(mode & 0o7777).toString(8)} keeps its owner from reading it`,
  )
}

function statOf(folder: Folder, name: string, path: string): Stats {
  const stat = folder.stat(name)
  if (stat === undefined) throw changed(path)
  return stat
}

/** Calls `use`, for which the entry at `path` has to be what it was a moment ago. */
function unchanged<T>(path: string, use: () => T): T {
  try {
    return use()
  } catch (error) {
    const gone =
      errorCode(error) === 'ENOENT' ||
      (error instanceof FixpointError && error.code === 'unsafe-path')
    throw gone ? changed(path, error) : error
  }
}

function changed(path: string, cause?: unknown): FixpointError {
  return new FixpointError(
    'buildFailed',
    'artifact-changed',
    `Cannot pack "${path}": it was changed meanwhile`,
    {
      cause,
    },
  )
}

async function addEntry(tar: TarWriter, tree: Descent, path: string, turns: Turns): Promise<Entry> {
  const { folder, name } = unchanged(path, () => tree.reach(path))
  const stat = statOf(folder, name, path)
  if (stat.isFile()) {
    requireReadable(path, stat.mode, 0o400)
    return addFile(tar, folder, name, path, turns)
  }
  const entry = describe(folder, name, path, stat)
  tar.write(encodeEntry(entry))
  return entry
}

/** A folder or a link. */
function describe(
  folder: Folder,
  name: string,
  path: string,
  stat: Stats,
): Entry & { type: 'folder' | 'link' } {
  if (stat.isDirectory()) return { type: 'folder', path, mode: stat.mode & 0o7777 }
  if (!stat.isSymbolicLink()) {
    throw new FixpointError(
      'buildFailed',
      'artifact-special-file',
      `Cannot pack "${path}": it is a device, socket or pipe, wanted a file, folder or link`,
    )
  }
  const bytes = unchanged(path, () => readlinkSync(folder.at(name), { encoding: 'buffer' }))
  const target = bytes.toString()
  if (isMangled(target, bytes)) throw unnameable(path, 'its target is not UTF-8')
  return { type: 'link', path, target }
}

function requireRoom(tar: TarWriter, path: string, size: number): void {
  if (tar.size + size <= LARGEST) return
  throw new FixpointError(
    'buildFailed',
    'artifact-too-large',
    `Cannot pack "${path}": with its ${String(size)} bytes the artifact has more than ${String(LARGEST)}`,
    { hint: 'Holes of a file count as well' },
  )
}

async function addFile(
  tar: TarWriter,
  folder: Folder,
  name: string,
  path: string,
  turns: Turns,
): Promise<Entry> {
  const { fd, stat } = unchanged(path, () => folder.openFile(name))
  try {
    requireRoom(tar, path, stat.size)
    const fields = { type: 'file', path, mode: stat.mode & 0o7777, size: stat.size } as const
    tar.write(encodeEntry(fields))
    const hash = createHash('sha256')
    let size = 0
    for (const chunk of chunksOf(fd)) {
      size += chunk.length
      if (size > stat.size) break
      hash.update(chunk)
      tar.write(chunk)
      await turns.pass()
    }
    if (size !== stat.size) throw changed(path)
    tar.pad(size)
    return { ...fields, sha256: asDigest(hash.digest('hex')) }
  } finally {
    closeSync(fd)
  }
}
