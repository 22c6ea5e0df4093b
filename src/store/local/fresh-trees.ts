import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../base/digest.ts'
import { flushFileSystem } from '../../base/files.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { compareTree } from '../artifact/check-tree.ts'
import { treePath } from './layout.ts'
import { readListing } from './read-listing.ts'

/** Folder of a session that names the trees which it has put into the store, as empty files. */
export const FRESH_TREES = 'trees'

/**
 * Notes that a tree is about to be put into the store. Its files reach the disk when the session
 * ends, all at once: to wait for each tree would cost more than to unpack it. A file system with a
 * journal keeps changes of names in their order, so no power cut leaves the tree without the note.
 * On others a torn tree may count as damaged: its next user finds that and unpacks it again.
 */
export async function noteFreshTree(session: string, digest: Digest): Promise<void> {
  await writeFile(join(session, FRESH_TREES, digest), '')
}

/** Makes the noted trees durable. */
export async function flushFreshTrees(session: string): Promise<void> {
  const notes = await readdir(join(session, FRESH_TREES)).catch(() => [])
  if (notes.length > 0) await flushFileSystem(session)
}

/** Removes those trees of an ended session that a power cut has left without their contents. */
export async function removeTornTrees(root: string, session: string): Promise<void> {
  for (const digest of await readdir(join(session, FRESH_TREES)).catch(() => [])) {
    const path = treePath(root, digest as Digest)
    const listing = readListing(root, digest as Digest)
    const isWhole = listing !== undefined && (await compareTree(path, listing)) === undefined
    if (!isWhole) await removeTree(path)
  }
}
