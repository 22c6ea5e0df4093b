import { Folder } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'

/** Entries, and folders in each other, that a kit or a copy has at most. */
const MAX_ENTRIES = 100_000
const MAX_DEPTH = 32

/** Something below a root that is no folder. */
export interface Entry {
  readonly path: string
  /** Bytes; undefined for a link, pipe or device. */
  readonly size: number | undefined
}

/**
 * All that lies below a root, in the order of names, without following a link. Names that are no
 * UTF-8 have replacement characters. Fails with `kit-refused` for more than any kit holds.
 */
export function treeBelow(root: string): Entry[] {
  const entries: Entry[] = []
  const visit = (folder: Folder, above: string, depth: number): void => {
    for (const entry of folder.entries()) {
      const name = entry.name.toString()
      const path = `${above}${name}`
      if (entries.length >= MAX_ENTRIES || depth > MAX_DEPTH)
        throw new FixpointError('kit-refused', `Cannot use "${root}": it holds too many files`)
      if (entry.isDirectory()) {
        const inner = unlessClosed(() => folder.folder(name))
        if (inner === undefined) continue
        try {
          visit(inner, `${path}/`, depth + 1)
        } finally {
          inner.close()
        }
      } else {
        const stat = folder.stat(name)
        entries.push({ path, size: stat?.isFile() === true ? stat.size : undefined })
      }
    }
  }
  Folder.with(root, (folder) => visit(folder, '', 0))
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function unlessClosed<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof FixpointError || ['EACCES', 'ENOENT'].includes(errorCode(error) ?? ''))
      return undefined
    throw error
  }
}
