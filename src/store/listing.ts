import { FixpointError } from '../base/error.ts'
import type { Digest } from '../base/digest.ts'

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

/** Refuses paths that an artifact of ours never has: absolute ones, ones that lead out of the tree, by links too, or below no folder named in `folders`. */
export function checkEntryPath(path: string, folders: ReadonlyMap<string, number>): void {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  if (
    path.split('/').some((part) => part === '' || part === '.' || part === '..') ||
    (parent !== '' && !folders.has(parent))
  ) {
    throw new FixpointError('bug', 'artifact-path', `Artifact holds a path that leaves its tree: "${path}"`)
  }
}
