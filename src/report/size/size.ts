import { basename } from 'node:path'
import { digestOfValue } from '../../base/canonical.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { makeManifest, MANIFEST_PATH } from '../../image/manifest.ts'
import { readRecordOf, requireRecorded, type RecordedImage } from '../../image/read-record.ts'
import { recordedPlan } from '../../image/recorded-plan.ts'
import type { Metadata } from '../../metadata/model.ts'
import type { ActionDocument, ContentRef } from '../../plan/action-document.ts'
import type { Listing } from '../../store/artifact/listing.ts'
import type { Store } from '../../store/store.ts'
import { filesIn, foldersOf, sumOf, type Piece } from './cut.ts'
import { measureDisk, type DiskSize } from './disk-size.ts'
import { listingsOf } from './listings.ts'

/** A file of an image's root. */
export interface SizedFile {
  readonly path: string
  /** Undefined of the manifest, which belongs to no package. */
  readonly recipe: RecipeId | undefined
  readonly size: number
}

/** A package in an image's root. */
export interface SizedPackage {
  readonly recipe: RecipeId
  readonly bytes: number
  readonly files: number
}

/**
 * What the root of an image holds. Sizes are bytes of files, before the file system compresses
 * them; lists are sorted, the largest first. Packages and the manifest sum up to `bytes`, and so do
 * folders, and so do files.
 */
export interface ImageSize {
  readonly image: RecipeId
  readonly bytes: number
  readonly packages: readonly SizedPackage[]
  /** Bytes of the manifest in the root; undefined where it cannot be known, or there is none. */
  readonly manifest: number | undefined
  readonly folders: readonly Piece[]
  readonly files: readonly SizedFile[]
  /** Packages that the store does not have: nothing above counts them. */
  readonly missing: readonly RecipeId[]
  /** What the image takes as a file; undefined where only its record was named. */
  readonly disk: DiskSize | undefined
}

/** What an image is measured by. */
export interface SizeContext {
  /** The layers in effect. */
  readonly metadata: Metadata
  readonly store: Store
  /** Levels of folders that are told apart. */
  readonly depth: number
  readonly signal: AbortSignal
}

/**
 * Measures an image, by the listings that the store has of its packages. `path` is the image or its
 * record. Fails with `no-record`, `image-not-recorded` or `papers-other-layers`, and as the store
 * does for damaged blobs.
 */
export async function measureImage(path: string, context: SizeContext): Promise<ImageSize> {
  const { metadata, store, depth, signal } = context
  const recorded = await readRecordOf(path)
  const contents = contentsOf(recorded, metadata, store)
  await requireRecorded(path, recorded, signal)
  const image = recorded.record.recipe as RecipeId
  const ids = contents.map(({ recipe }) => recipe)
  const listings = await listingsOf(recorded.record, ids, store, signal)
  const disk = isRecord(path, recorded) ? undefined : await measureDisk(path)
  const missing = ids.filter((id) => !listings.has(id))
  const hasRoot = disk?.parts.some(({ name }) => name === 'root') !== false
  const isKnown = missing.length === 0 && hasRoot
  const manifest = isKnown ? manifestSize(contents, listings) : undefined
  const files = filesOf(listings, manifest)
  return {
    image,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    packages: packagesOf(listings),
    manifest,
    folders: foldersOf(files, depth),
    files,
    missing,
    disk,
  }
}

function isRecord(path: string, { path: record }: RecordedImage): boolean {
  return basename(path) === basename(record)
}

function packagesOf(listings: ReadonlyMap<RecipeId, Listing>): SizedPackage[] {
  return [...listings]
    .map(([recipe, listing]) => ({ recipe, ...sumOf(listing) }))
    .sort((a, b) => b.bytes - a.bytes || byCodeUnit(a.recipe, b.recipe))
}

function filesOf(
  listings: ReadonlyMap<RecipeId, Listing>,
  manifest: number | undefined,
): SizedFile[] {
  const files = [...listings].flatMap(([recipe, listing]) =>
    filesIn(listing).map(({ path, size }): SizedFile => ({ path, recipe, size })),
  )
  const own: SizedFile[] =
    manifest === undefined ? [] : [{ path: MANIFEST_PATH, recipe: undefined, size: manifest }]
  return [...files, ...own].sort((a, b) => b.size - a.size || byCodeUnit(a.path, b.path))
}

/** Bytes of the manifest that the engine wrote when it built the image. */
function manifestSize(
  contents: readonly ContentRef[],
  listings: ReadonlyMap<RecipeId, Listing>,
): number {
  const held = contents.map((content) => {
    return { ...content, listing: listings.get(content.recipe) ?? [] }
  })
  return Buffer.byteLength(makeManifest(held))
}

/**
 * What the image holds: by the store where that remembers its action, else by the layers in effect,
 * which must be those it was built from.
 */
function contentsOf(
  recorded: RecordedImage,
  metadata: Metadata,
  store: Store,
): readonly ContentRef[] {
  const { recipe, recipes } = recorded.record
  const key = recipes.find((one) => one.recipe === recipe)?.key
  const document = key && store.index.find(key)?.document
  // The key is a digest of the document, so a document of that digest is the one of the action.
  if (document !== undefined && digestOfValue(document) === key)
    return (document as ActionDocument).contents
  return recordedPlan(recorded, metadata).plan.get(recipe as RecipeId)?.document?.contents ?? []
}
