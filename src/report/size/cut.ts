import { byCodeUnit } from '../../base/order.ts'
import type { Entry, Listing } from '../../store/artifact/listing.ts'

/** A file, or several that are drawn as one. */
export interface Piece {
  /** What it is: a path, or that of the folder that all of them are in. */
  readonly path: string
  readonly bytes: number
  /** Files in it. */
  readonly files: number
}

/**
 * Cuts the files of a package into pieces to be drawn: files and folders of at least `limit` bytes,
 * and what is left in each folder. The largest come first.
 */
export function cut(listing: Listing, limit: number): Piece[] {
  return piecesOf(treeOf(listing), limit).sort(
    (a, b) => b.bytes - a.bytes || byCodeUnit(a.path, b.path),
  )
}

/** The folders of some files down to `depth`, with all that is below each; sorted by size. */
export function foldersOf(
  files: Iterable<{ readonly path: string; readonly size: number }>,
  depth: number,
): Piece[] {
  const folders = new Map<string, { bytes: number; files: number }>()
  for (const { path, size } of files) {
    const folder = path.split('/').slice(0, -1).slice(0, depth).join('/')
    const sum = folders.get(folder) ?? { bytes: 0, files: 0 }
    folders.set(folder, { bytes: sum.bytes + size, files: sum.files + 1 })
  }
  return [...folders]
    .map(([path, sum]) => ({ path: path === '' ? '/' : path, ...sum }))
    .sort((a, b) => b.bytes - a.bytes || byCodeUnit(a.path, b.path))
}

/** The files of a package. */
export function filesIn(listing: Listing): Extract<Entry, { type: 'file' }>[] {
  return listing.filter((entry) => entry.type === 'file')
}

/** Bytes and number of the files of a package. */
export function sumOf(listing: Listing): { readonly bytes: number; readonly files: number } {
  const files = filesIn(listing)
  return { bytes: files.reduce((sum, { size }) => sum + size, 0), files: files.length }
}

/** A file, or a folder with all that is below it. */
interface Branch {
  readonly path: string
  bytes: number
  files: number
  readonly children: Map<string, Branch>
}

function treeOf(listing: Listing): Branch {
  const folder = (path: string): Branch => ({ path, bytes: 0, files: 0, children: new Map() })
  const root = folder('')
  for (const entry of listing) {
    if (entry.type !== 'file') continue
    let at = root
    add(at, entry.size)
    for (const part of entry.path.split('/')) {
      const next = at.children.get(part) ?? folder(at.path === '' ? part : `${at.path}/${part}`)
      at.children.set(part, next)
      add(next, entry.size)
      at = next
    }
  }
  return root
}

function add(to: Branch, bytes: number): void {
  to.bytes += bytes
  to.files += 1
}

function piecesOf({ path, bytes, files, children }: Branch, limit: number): Piece[] {
  const all = [...children.values()]
  const large = all.filter((child) => child.bytes >= limit)
  if (large.length === 0) return bytes === 0 ? [] : [{ path, bytes, files }]
  const rest = {
    path,
    bytes: bytes - large.reduce((sum, child) => sum + child.bytes, 0),
    files: files - large.reduce((sum, child) => sum + child.files, 0),
  }
  const pieces = large.flatMap((child) => piecesOf(child, limit))
  return rest.bytes === 0 ? pieces : [...pieces, rest]
}
