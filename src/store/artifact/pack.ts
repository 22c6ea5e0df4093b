import { createHash } from 'node:crypto'
import { closeSync, readlinkSync, type Stats } from 'node:fs'
import { Descent, Folder } from '../../base/beneath.ts'
import { chunksOf } from '../../base/chunks.ts'
import { asDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { Turns } from '../../base/turns.ts'
import { findPaths } from './find-paths.ts'
import type { Entry, Listing } from './listing.ts'
import {
  changed,
  isMangled,
  requireReadable,
  statOf,
  unchanged,
  unnameable,
} from './pack-faults.ts'
import { encodeEntry } from './tar-header.ts'
import { TarWriter } from './tar-writer.ts'

/** Result of packing a tree. */
export interface Packed {
  readonly digest: Digest
  /** Bytes of the tar. */
  readonly size: number
  readonly listing: Listing
}

/** Bytes of a tar. A hole takes no room, but each of its bytes is hashed: minutes for this many. */
const LARGEST = 64 * 2 ** 30

/**
 * Writes the tree below `root` to `target` as one tar. It depends on names, modes, contents and
 * link targets alone: entries sorted by the bytes of their paths, owner 0:0, one constant time.
 * Hard links become separate files, so inode numbers do not matter. Follows no link. Fails with
 * - `artifact-special-file` for anything but files, folders and symbolic links,
 * - `artifact-unreadable` for what its owner may not read,
 * - `artifact-name` for names that are not UTF-8 and for paths that are too long,
 * - `artifact-empty` for an empty tree,
 * - `artifact-too-large` for a tar of more than {@link LARGEST},
 * - `artifact-changed` when the tree changes meanwhile.
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
      'artifact-empty',
      'Cannot pack an empty tree: no step put anything into $OUT',
    )
  }
  return packPaths(root, paths, target, turns)
}

/**
 * Like {@link packTree}, but packs only the paths of `listing`, which is sorted. Without a target
 * only hashes.
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
    'artifact-too-large',
    `Cannot pack "${path}": with its ${size} bytes the artifact has more than ${LARGEST}`,
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
