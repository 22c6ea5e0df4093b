import { z } from 'zod'
import { FixpointError } from '../base/error.ts'
import { isDigest, type Digest } from '../base/digest.ts'

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

const mode = z.int().min(0).max(0o7777)
const path = z.string().min(1)

const listingSchema: z.ZodType<Listing> = z.array(
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('folder'), path, mode }),
    z.object({
      type: z.literal('file'),
      path,
      mode,
      size: z.int().min(0),
      sha256: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
    }),
    z.object({ type: z.literal('link'), path, target: z.string() }),
  ]),
)

/** A listing as it was written beside a tree; undefined for anything else. */
export function parseListing(text: string): Listing | undefined {
  try {
    return listingSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

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
