import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest, type Digest } from '../../base/digest.ts'

/** What a store's folders hold, by name. Nothing is read or checked. */
export interface Contents {
  readonly blobs: readonly Digest[]
  readonly trees: readonly Digest[]
  readonly listings: readonly Digest[]
}

/** How the name of a listing ends. */
const LISTING = '.json'

/** Lists the blobs, trees and listings of the store below `root`. */
export async function contentsOf(root: string): Promise<Contents> {
  const names = await readdir(join(root, 'trees'))
  return {
    blobs: await blobsIn(join(root, 'blobs')),
    trees: names.filter((name) => isDigest(name)),
    listings: names
      .filter((name) => name.endsWith(LISTING))
      .map((name) => name.slice(0, -LISTING.length))
      .filter((name) => isDigest(name)),
  }
}

async function blobsIn(root: string): Promise<Digest[]> {
  const found: Digest[] = []
  // Not readdir's own recursion: a blob may be a folder, or a link to one.
  for (const folder of await readdir(root, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue
    const names = await readdir(join(root, folder.name))
    found.push(
      ...names.filter((name) => isDigest(name)).filter((name) => name.startsWith(folder.name)),
    )
  }
  return found
}
