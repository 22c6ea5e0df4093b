import { z } from 'zod'
import { canonicalJson } from '../base/canonical.ts'
import { asDigest } from '../base/digest.ts'
import { digestSchema } from '../base/digest-schema.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { ContentRef } from '../plan/action-document.ts'
import type { Entry, Listing } from '../store/artifact/listing.ts'

/** One thing that an image holds, with its entries. */
export interface ManifestContent extends ContentRef {
  readonly listing: Listing
}

/**
 * The manifest that goes into an image's root: which recipes it was made of, under which keys, and
 * every path they own. Its digest is the root's id. Nothing in it tells of the host, a time or the
 * image's own bytes. One line a content, so that `diff` and a reader get along.
 */
export function makeManifest(contents: readonly ManifestContent[]): string {
  const lines = contents.map(({ recipe, version, key, artifact, listing }) =>
    canonicalJson({ recipe, version, key, artifact, entries: listing.map(manifestEntry) }),
  )
  return `{"format":"${FORMAT}","contents":[\n${lines.join(',\n')}\n]}\n`
}

/** Where the manifest lies in an image's root, relative to it. */
export const MANIFEST_PATH = 'usr/share/fixpoint/manifest.json'

const FORMAT = 'fixpoint-manifest-1'

/**
 * What an image holds, by its manifest; undefined when the text is none of {@link makeManifest}.
 * Sizes of files are not in it, and so are 0 here.
 */
export function parseManifest(text: string): ManifestContent[] | undefined {
  try {
    const parsed = manifestSchema.parse(JSON.parse(text))
    return parsed.contents.map(({ entries, ...content }) => ({
      ...content,
      listing: entries.map(listingEntry),
    }))
  } catch {
    return undefined
  }
}

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  contents: z.array(
    z.object({
      recipe: z.custom<RecipeId>((value) => typeof value === 'string'),
      version: z.string(),
      key: digestSchema,
      artifact: digestSchema,
      entries: z.array(z.array(z.string()).min(2).max(3)),
    }),
  ),
})

function listingEntry([path = '', mode = '', last]: readonly string[]): Entry {
  if (mode === '->') return { type: 'link', path, target: last ?? '' }
  const octal = Number.parseInt(mode, 8)
  if (last === undefined) return { type: 'folder', path, mode: octal }
  return { type: 'file', path, mode: octal, size: 0, sha256: asDigest(last) }
}

/**
 * `[path, mode]` of a folder, `[path, mode, sha256]` of a file, `[path, "->", target]` of a link;
 * modes in octal.
 */
function manifestEntry(entry: Entry): string[] {
  switch (entry.type) {
    case 'folder':
      return [entry.path, entry.mode.toString(8)]
    case 'file':
      return [entry.path, entry.mode.toString(8), entry.sha256]
    case 'link':
      return [entry.path, '->', entry.target]
  }
}
