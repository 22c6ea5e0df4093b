import { linkSync, lutimesSync, mkdirSync, symlinkSync } from 'node:fs'
import { Descent, Folder } from '../base/beneath.ts'
import { EPOCH } from '../base/constants.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode } from '../base/files.ts'
import { Turns } from '../base/turns.ts'
import { finishFolders } from '../store/artifact/finish-folders.ts'
import type { Entry, Listing } from '../store/artifact/listing.ts'

/** An unpacked artifact that takes part in a union. */
export interface Part {
  readonly recipe: RecipeId
  /** Folder of its tree, on the file system of the union. */
  readonly tree: string
  readonly listing: Listing
}

/** A path of a union, and whose it is. */
interface Owned {
  readonly entry: Entry
  readonly part: Part
}

/**
 * The union of some artifacts' entries, each path once, folders before what they hold. A union is a
 * set: the order of `parts` has no say. Fails with `path-claimed-twice`, naming path and both
 * recipes, unless both are folders of equal mode.
 */
export function unionOf(parts: readonly Part[]): Map<string, Owned> {
  const union = new Map<string, Owned>()
  for (const part of parts) {
    for (const entry of part.listing) {
      const other = union.get(entry.path)
      if (other === undefined) union.set(entry.path, { entry, part })
      else if (!sameFolder(other.entry, entry))
        throw claimedTwice(entry.path, other, { entry, part })
    }
  }
  for (const [path, owned] of union)
    requireFolder(path.slice(0, Math.max(0, path.lastIndexOf('/'))), owned, union)
  return union
}

/**
 * Refuses what would be put through another artifact's link, or into no folder. Listings name the
 * folders of their paths, so that is none of ours.
 */
function requireFolder(path: string, inside: Owned, union: ReadonlyMap<string, Owned>): void {
  const owner = union.get(path)
  if (path === '' || owner?.entry.type === 'folder') return
  const folder: Owned = { part: inside.part, entry: { type: 'folder', path, mode: 0o755 } }
  if (owner !== undefined) throw claimedTwice(path, owner, folder)
  throw new FixpointError(
    'artifact-parent',
    `Cannot join artifacts: ${inside.part.recipe} has "/${inside.entry.path}", ` +
      `but no folder "/${path}"`,
  )
}

function sameFolder(a: Entry, b: Entry): boolean {
  return a.type === 'folder' && b.type === 'folder' && a.mode === b.mode
}

function claimedTwice(path: string, a: Owned, b: Owned): FixpointError {
  const [first, second] = [a, b]
    .map(({ part, entry }) => `${part.recipe} (${describe(entry)})`)
    .sort()
  return new FixpointError(
    'path-claimed-twice',
    `Cannot join artifacts: "/${path}" is in ${String(first)} and in ${String(second)}`,
  )
}

function describe(entry: Entry): string {
  return entry.type === 'link'
    ? `link to ${entry.target}`
    : `${entry.type} of mode ${entry.mode.toString(8)}`
}

/** How a union is made. */
export interface ComposeOptions {
  /** Those of one depth are made in the opposite order. */
  readonly backwards?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes the union of `parts` below `target`, an empty folder on the same file system. Files are
 * hard links: nothing is copied.
 */
export async function composeUnion(
  parts: readonly Part[],
  target: string,
  { backwards = false, signal }: ComposeOptions = {},
): Promise<void> {
  const turns = new Turns(signal)
  const union = unionOf(parts)
  const root = new Descent(Folder.open(target))
  const trees = new Map(parts.map((part) => [part, new Descent(Folder.open(part.tree))]))
  try {
    for (const [path, { entry, part }] of inOrder(union, backwards)) {
      add(path, entry, trees.get(part), root)
      await turns.pass()
    }
    await finishFolders(
      [...union.values()].map(({ entry }) => entry),
      root,
      turns,
    )
  } finally {
    for (const tree of [root, ...trees.values()]) tree.close()
  }
}

function add(path: string, entry: Entry, tree: Descent | undefined, root: Descent): void {
  const { folder, name } = root.reach(path)
  switch (entry.type) {
    case 'folder':
      mkdirSync(folder.at(name), { mode: 0o700 })
      break
    case 'link':
      symlinkSync(entry.target, folder.at(name))
      lutimesSync(folder.at(name), EPOCH, EPOCH)
      break
    case 'file':
      if (tree !== undefined) linkFile(path, tree, folder.at(name))
  }
}

function linkFile(path: string, tree: Descent, target: string): void {
  const { folder, name } = tree.reach(path)
  try {
    linkSync(folder.at(name), target)
  } catch (cause) {
    // Trees may be deleted, but not at this moment.
    if (errorCode(cause) !== 'ENOENT') throw cause
    const file = `${folder.shown}/${name}`
    throw new FixpointError('store-changed', `Cannot use "${file}": it was removed meanwhile`, {
      cause,
    })
  }
}

function inOrder(union: ReadonlyMap<string, Owned>, backwards: boolean): [string, Owned][] {
  const depth = (path: string): number => path.split('/').length
  return backwards ? [...union].reverse().sort(([a], [b]) => depth(a) - depth(b)) : [...union]
}
