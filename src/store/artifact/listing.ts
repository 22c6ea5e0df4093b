import { digestOf, isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { byBytes } from '../../base/order.ts'
import { hasShape, isCount, isText, type Shape } from '../../base/shape.ts'

/** One entry of an artifact. Paths are relative, without `./`, in the order of their bytes. */
export type Entry =
  | { readonly type: 'folder'; readonly path: string; readonly mode: number }
  | {
      readonly type: 'file'
      readonly path: string
      readonly mode: number
      readonly size: number
      readonly sha256: Digest
    }
  | { readonly type: 'link'; readonly path: string; readonly target: string }

/** All entries of an artifact, sorted by the bytes of their paths. */
export type Listing = readonly Entry[]

/** The fields of each type of entry. */
const SHAPES: { readonly [Type in Entry['type']]: Shape<Extract<Entry, { type: Type }>> } = {
  folder: { type: isText, path: isText, mode: isCount(0o7777) },
  file: {
    type: isText,
    path: isText,
    mode: isCount(0o7777),
    size: isCount(),
    sha256: (value) => typeof value === 'string' && isDigest(value),
  },
  link: { type: isText, path: isText, target: isText },
}

function isEntry(value: unknown): value is Entry {
  if (!hasShape<{ type: string }>(value, { type: isText })) return false
  const { type } = value
  const shape = Object.hasOwn(SHAPES, type) ? SHAPES[type as Entry['type']] : undefined
  return shape !== undefined && hasShape(value, shape as Shape<Entry>)
}

/** The text of a listing's file. It names the artifact, so another one in its place is found. */
export function formatListing(artifact: Digest, entries: Listing): string {
  return JSON.stringify({ artifact, entries, check: checkOf(artifact, entries) })
}

/** The listing in a text of {@link formatListing}. Undefined for damage, or another artifact's. */
export function parseListing(artifact: Digest, text: string): Listing | undefined {
  try {
    const file = JSON.parse(text) as { artifact?: unknown; entries?: unknown; check?: unknown }
    const { entries } = file
    if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined
    if (file.artifact !== artifact || file.check !== checkOf(artifact, entries)) return undefined
    const paths = new EntryPaths()
    for (const entry of entries) paths.add(entry)
    return entries
  } catch {
    return undefined
  }
}

function checkOf(artifact: Digest, entries: Listing): Digest {
  return digestOf(JSON.stringify([artifact, entries.map(fieldsOf)]))
}

function fieldsOf(entry: Entry): readonly (string | number)[] {
  switch (entry.type) {
    case 'folder':
      return [entry.path, entry.mode]
    case 'file':
      return [entry.path, entry.mode, entry.size, entry.sha256]
    case 'link':
      return [entry.path, '->', entry.target]
  }
}

/** True when two listings state the same. */
export function isSameListing(a: Listing, b: Listing): boolean {
  return JSON.stringify(a.map(fieldsOf)) === JSON.stringify(b.map(fieldsOf))
}

/**
 * Bytes. The kernel takes at most 4095: the rest is for the store's own path, so that every store
 * can unpack what one store packed.
 */
export const LONGEST_PATH = 3072

/** Bytes of a path's component, as most file systems have them. */
const LONGEST_NAME = 255

/** The kernel's limit for the target of a link, bytes. */
const LONGEST_TARGET = 4095

/** Checks the paths of an artifact, one after the other. */
export class EntryPaths {
  readonly #folders = new Set([''])
  #last = ''

  /**
   * Fails with `artifact-path` for what {@link packTree} never writes: paths that are absolute,
   * lead out of the tree, go through links, have no folder in the artifact, are not sorted, or are
   * too long for a file system.
   */
  add(entry: {
    readonly type: Entry['type']
    readonly path: string
    readonly target?: string
  }): void {
    const { type, path, target = '.' } = entry
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const wrong =
      !this.#folders.has(parent) ||
      byBytes(path, this.#last) <= 0 ||
      Buffer.byteLength(path) > LONGEST_PATH ||
      !path.split('/').every(isName) ||
      !isTarget(target)
    if (wrong) {
      throw new FixpointError(
        'artifact-path',
        `Cannot use an artifact: its path "${path}" is none of a tree`,
      )
    }
    this.#last = path
    if (type === 'folder') this.#folders.add(path)
  }
}

function isName(name: string): boolean {
  return (
    !['', '.', '..'].includes(name) &&
    !name.includes('\0') &&
    Buffer.byteLength(name) <= LONGEST_NAME
  )
}

function isTarget(target: string): boolean {
  return target !== '' && !target.includes('\0') && Buffer.byteLength(target) <= LONGEST_TARGET
}
