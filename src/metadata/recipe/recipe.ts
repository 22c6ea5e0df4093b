import type { Digest } from '../../base/digest.ts'
import type { Position } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { LocalFile } from '../tree/files.ts'

/**
 * One place a source may come from, as written: `debian:PACKAGE/FILE`, `npm:NAME@VERSION`,
 * `https://…` or `file:PATH`.
 */
export type SourcePlace = string

/** First and last line of a file, both from 1. */
export interface LineRange {
  readonly first: number
  readonly last: number
}

/** A file of a source that holds the text of a license. */
export interface LicenseFile {
  /**
   * Path in the source, without the outermost folder of a tarball. A tarball in the source counts
   * as a folder.
   */
  readonly path: string
  /** SHA-256 of the file, or of its `lines`. */
  readonly sha256: Digest
  /** Lines that count, each with its newline; undefined: the whole file. */
  readonly lines?: LineRange | undefined
}

/** What every source says of its licenses. Nothing of it is in a key. */
export interface Licensed {
  /**
   * SPDX expression: its own or the recipe's. Undefined for a source of an image that states none.
   */
  readonly license?: string | undefined
  /** Undefined where none are stated. */
  readonly licenseFiles?: readonly LicenseFile[] | undefined
}

/** A source that is fetched: one file, named by its digest. */
export interface FileSource extends Licensed {
  readonly kind: 'file'
  /** The file's name in the sandbox, below $SOURCES. */
  readonly name: string
  readonly sha256: Digest
  readonly from: readonly SourcePlace[]
  /**
   * Folder below $SRC that it is unpacked into; undefined: not unpacked, the recipe's steps use
   * $SOURCES/name.
   */
  readonly to: string | undefined
}

/**
 * A source made of files of the checkout: a folder $SOURCES/name in the sandbox, modes reduced to
 * 0644 and 0755.
 */
export interface TreeSource extends Licensed {
  readonly kind: 'tree'
  readonly name: string
  /** SHA-256 of the canonical JSON of its files: [{name, digest, executable}], sorted by name. */
  readonly digest: Digest
  /** Names relative to the tree's root, sorted by code unit. */
  readonly files: readonly LocalFile[]
  /** Folder below $SRC that it is copied into; undefined: it stays below $SOURCES. */
  readonly to: string | undefined
}

/** One of a recipe's sources. */
export type Source = FileSource | TreeSource

/** Those of a recipe's sources that are fetched, as one file each. */
export function fetchedSources(sources: readonly Source[]): FileSource[] {
  return sources.flatMap((source) => {
    switch (source.kind) {
      case 'file':
        return [source]
      case 'tree':
        return []
    }
  })
}

/** One step of a recipe after templates are expanded: a shell script, run with `sh -eu` in $SRC. */
export interface Step {
  readonly name: string
  readonly script: string
}

/** A recipe after `extends`, amendments, style and templates: what the planner works on. */
export interface Recipe {
  readonly id: RecipeId
  readonly layer: string
  readonly name: string
  readonly version: string
  /** `PART:VENDOR:PRODUCT` of its CPE name, if it states one. */
  readonly cpe?: string | undefined
  readonly summary: string
  /** Name of its style. Nothing of it is in the key: what the style states is in other fields. */
  readonly style?: string | undefined
  /** SPDX expression. Undefined for an image, whose expression follows from what it holds. */
  readonly license?: string | undefined
  /** SPDX expression of those of its files that become part of what is built with it, if any. */
  readonly linkedLicense?: string | undefined
  /** True for recipes of the layer that sees the host's /usr. */
  readonly host: boolean
  /**
   * True when it makes a disk image: `contents` is then mounted at $CONTENTS and a manifest at
   * $MANIFEST.
   */
  readonly image: boolean
  readonly sources: readonly Source[]
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
  /** As written: without the inputs' needs. */
  readonly inputs: readonly RecipeId[]
  readonly needs: readonly RecipeId[]
  /** Recipes that go into an image; empty otherwise. */
  readonly contents: readonly RecipeId[]
  /** True when an image also holds what building it takes, and a mirror of all sources. */
  readonly closure: boolean
  /** Names of those of its files that hold options, in the order in which they apply. */
  readonly config: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
  /** Estimated peak memory, bytes; for admission only. */
  readonly memory: number
  /** Estimated cost, seconds on one core; orders the queue until a duration was measured. */
  readonly cost: number
  /** Seconds after which a step is ended. */
  readonly timeout: number
  /** Where each top-level field got its value from, latest last; for `show --origin`. */
  readonly origins: Readonly<Record<string, readonly Position[]>>
}
