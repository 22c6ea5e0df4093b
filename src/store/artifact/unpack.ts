import { createHash } from 'node:crypto'
import { closeSync, fchmodSync, futimesSync, lutimesSync, mkdirSync, symlinkSync } from 'node:fs'
import { Descent, Folder } from '../../base/beneath.ts'
import { endSparse, writeSparse } from '../../base/chunks.ts'
import { EPOCH } from '../../base/constants.ts'
import { asDigest, type Digest } from '../../base/digest.ts'
import { Turns } from '../../base/turns.ts'
import { finishFolders } from './finish-folders.ts'
import { EntryPaths, type Entry, type Listing } from './listing.ts'
import type { TarEntry } from './tar-header.ts'
import { TarReader } from './tar-reader.ts'

/** What came out of an artifact's tar. */
export interface Unpacked {
  /** Digest of the bytes that were read. */
  readonly digest: Digest
  readonly listing: Listing
}

/**
 * Unpacks a tar of {@link packTree} into `target`, an empty folder. Without a target only lists it.
 * Hashes the tar on the way: the caller compares the digest before it uses the tree. Fails with
 * `artifact-format` or `artifact-path` for another tar, and with `not-a-file`.
 */
export async function unpackArtifact(
  file: string,
  target: string | undefined,
  signal?: AbortSignal,
): Promise<Unpacked> {
  const turns = new Turns(signal)
  const tar = new TarReader(file)
  const tree = target === undefined ? undefined : new Descent(Folder.open(target))
  try {
    const listing = await readEntries(tar, tree, turns)
    if (tree !== undefined) await finishFolders(listing, tree, turns)
    return { digest: tar.digest(), listing }
  } finally {
    tree?.close()
    tar.close()
  }
}

async function readEntries(
  tar: TarReader,
  tree: Descent | undefined,
  turns: Turns,
): Promise<Entry[]> {
  const listing: Entry[] = []
  const paths = new EntryPaths()
  for await (const { entry, content } of tar.entries(turns)) {
    paths.add(entry)
    if (entry.type === 'file') {
      listing.push({ ...entry, sha256: await readFile(entry, content, tree, turns) })
    } else {
      listing.push(entry)
      if (tree !== undefined) make(entry, tree)
    }
  }
  return listing
}

function make(entry: TarEntry & { type: 'folder' | 'link' }, tree: Descent): void {
  const { folder, name } = tree.reach(entry.path)
  if (entry.type === 'folder') {
    mkdirSync(folder.at(name), { mode: 0o700 })
  } else {
    symlinkSync(entry.target, folder.at(name))
    lutimesSync(folder.at(name), EPOCH, EPOCH)
  }
}

/** Digest of a file's content. Writes it when there is a tree. */
async function readFile(
  entry: TarEntry & { type: 'file' },
  content: Iterable<Buffer>,
  tree: Descent | undefined,
  turns: Turns,
): Promise<Digest> {
  const hash = createHash('sha256')
  const { folder, name } = tree?.reach(entry.path) ?? {}
  const fd = name === undefined ? undefined : folder?.create(name, 0o600)
  try {
    let size = 0
    for (const chunk of content) {
      hash.update(chunk)
      if (fd !== undefined) writeSparse(fd, chunk, size)
      size += chunk.length
      await turns.pass()
    }
    if (fd !== undefined) {
      endSparse(fd, size)
      fchmodSync(fd, entry.mode)
      futimesSync(fd, EPOCH, EPOCH)
    }
    return asDigest(hash.digest('hex'))
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
