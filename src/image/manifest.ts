import { canonicalJson } from '../base/canonical.ts'
import type { ContentRef } from '../plan/document.ts'
import type { Entry, Listing } from '../store/listing.ts'

/** One thing that an image holds, with its entries. */
export interface ManifestContent extends ContentRef {
  readonly listing: Listing
}

/**
 * The manifest that goes into an image's root: which recipes it was made of, under which keys, and every path they own. Its digest is the
 * root's id. Nothing in it tells of the host, a time or the image's own bytes. One line a content, so that `diff` and a reader get along.
 */
export function makeManifest(contents: readonly ManifestContent[]): string {
  const lines = contents.map(({ recipe, version, key, artifact, listing }) =>
    canonicalJson({ recipe, version, key, artifact, entries: listing.map(manifestEntry) }),
  )
  return `{"format":"fixpoint-manifest-1","contents":[\n${lines.join(',\n')}\n]}\n`
}

/** `[path, mode]` of a folder, `[path, mode, sha256]` of a file, `[path, "->", target]` of a link; modes in octal. */
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
