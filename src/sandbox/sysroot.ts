import { chmod, link, lutimes, mkdir, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { EPOCH } from '../base/constants.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/events.ts'
import type { Entry, Listing } from '../store/listing.ts'

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
 * The union of some artifacts' entries, each path once, folders before what they hold. A union is a set: the order of `parts` has no say.
 * Fails with `path-claimed-twice`, naming path and both recipes, unless both are folders of equal mode.
 */
export function unionOf(parts: readonly Part[]): Map<string, Owned> {
  const union = new Map<string, Owned>()
  for (const part of parts) {
    for (const entry of part.listing) {
      const other = union.get(entry.path)
      if (other === undefined) union.set(entry.path, { entry, part })
      else if (!sameFolder(other.entry, entry)) throw claimedTwice(entry.path, other, { entry, part })
    }
  }
  return union
}

function sameFolder(a: Entry, b: Entry): boolean {
  return a.type === 'folder' && b.type === 'folder' && a.mode === b.mode
}

function claimedTwice(path: string, a: Owned, b: Owned): FixpointError {
  const [first, second] = [a, b].map(({ part, entry }) => `${part.recipe} (${describe(entry)})`).sort()
  return new FixpointError(
    'buildFailed',
    'path-claimed-twice',
    `Cannot join artifacts: "/${path}" is in ${String(first)} and in ${String(second)}`,
    {
      hint: 'Let one of the two leave it out, or do not use both together',
    },
  )
}

function describe(entry: Entry): string {
  return entry.type === 'link' ? `link to ${entry.target}` : `${entry.type} of mode ${entry.mode.toString(8)}`
}

/**
 * Makes the union of `parts` below `target`, an empty folder on the same file system. Files are hard links: nothing is
 * copied. `backwards`: those of one depth are made in the opposite order.
 */
export async function composeUnion(parts: readonly Part[], target: string, backwards = false): Promise<void> {
  const folders: [path: string, mode: number][] = []
  for (const [path, { entry, part }] of inOrder(unionOf(parts), backwards)) {
    const full = join(target, path)
    switch (entry.type) {
      case 'folder':
        await mkdir(full, { mode: 0o700 })
        folders.push([full, entry.mode])
        break
      case 'link':
        await symlink(entry.target, full)
        await lutimes(full, EPOCH, EPOCH)
        break
      case 'file':
        await link(join(part.tree, path), full)
    }
  }
  // From the inside out, when nothing is written any more: a folder's time is constant like a file's, and its mode, which may forbid
  // writing, is the artifact's, whatever umask or parent folder would make of it.
  for (const [folder, mode] of folders.reverse()) {
    await utimes(folder, EPOCH, EPOCH)
    await chmod(folder, mode)
  }
}

function inOrder(union: ReadonlyMap<string, Owned>, backwards: boolean): [string, Owned][] {
  const depth = (path: string): number => path.split('/').length
  return backwards ? [...union].reverse().sort(([a], [b]) => depth(a) - depth(b)) : [...union]
}
