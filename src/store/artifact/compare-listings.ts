import { byBytes } from '../../base/order.ts'
import type { Entry, Listing } from './listing.ts'

/** An entry in which two artifacts differ. Undefined for the artifact that does not have it. */
export interface ListingDifference {
  readonly path: string
  readonly a: Entry | undefined
  readonly b: Entry | undefined
}

/** All entries in which two listings differ, in the order of the paths' bytes. */
export function compareListings(a: Listing, b: Listing): ListingDifference[] {
  const left = new Map(a.map((entry) => [entry.path, entry]))
  const right = new Map(b.map((entry) => [entry.path, entry]))
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort(byBytes)
  return paths
    .map((path) => ({ path, a: left.get(path), b: right.get(path) }))
    .filter((pair) => !sameEntry(pair.a, pair.b))
}

function sameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.type === 'file' && b.type === 'file') return a.mode === b.mode && a.sha256 === b.sha256
  if (a.type === 'folder' && b.type === 'folder') return a.mode === b.mode
  return a.type === 'link' && b.type === 'link' && a.target === b.target
}
