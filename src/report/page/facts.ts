import { FixpointError } from '../../base/error.ts'
import type { Digest } from '../../base/digest.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import {
  readDetailedRecord,
  requireRecorded,
  type DetailedRecord,
} from '../../image/read-record.ts'
import { recordBeside } from '../../image/record.ts'
import { fetchedSources, type Metadata } from '../../metadata/model.ts'
import type { Listing } from '../../store/artifact/listing.ts'
import { sizeInMirrors } from '../../fetch/mirror/find.ts'
import { blobSize } from '../../store/blob-size.ts'
import type { Store } from '../../store/store.ts'
import { examineReceipts, type Examined } from '../receipts/examine.ts'
import { readSigners } from '../receipts/read.ts'
import { listingsOf } from '../size/listings.ts'
import { describeLayers, type Layers } from './layers.ts'
import { Names } from './names.ts'

/** What a page is to be made of. */
export interface Asked {
  /** An image, or the record beside it. */
  readonly image: string
  readonly metadata: Metadata
  readonly store: Store
  /** Folders that may hold sources that the store does not have. */
  readonly mirrors: readonly string[]
  readonly receipts?: AskedReceipts | undefined
  readonly signal: AbortSignal
}

/** Receipts, and by whom they count. */
export interface AskedReceipts {
  /** Files, and folders of them. */
  readonly paths: readonly string[]
  /** File of allowed signers. */
  readonly signers: string | undefined
  /** Time that signatures are judged at, in seconds since 1970. */
  readonly at: number | undefined
}

/** All that a page says. */
export interface Facts {
  readonly record: DetailedRecord
  /** Undefined where the layers in effect do not have the image. */
  readonly layers: Layers | undefined
  readonly names: Names
  /** Entries of the packages in the image, as far as the store has them. */
  readonly listings: ReadonlyMap<RecipeId, Listing>
  /** Bytes of sources, as far as the store or a mirror folder has them. */
  readonly sourceSizes: ReadonlyMap<Digest, number>
  readonly confirmations: Examined | undefined
}

/**
 * Reads all that a page says of an image. Fails with `no-record` or `image-not-recorded`, as the
 * store does for damaged blobs, and as {@link examineReceipts} does.
 */
export async function gatherFacts(asked: Asked): Promise<Facts> {
  const path = recordBeside(asked.image)
  const record = await readDetailedRecord(path)
  await requireRecorded(asked.image, { path, record }, asked.signal)
  const layers = describeLayers(record, asked.metadata)
  return {
    record,
    layers,
    names: new Names(record, layers),
    listings: await listingsOf(record, layers?.image.contents ?? [], asked.store, asked.signal),
    sourceSizes: await sizesOf(layers, asked),
    confirmations: asked.receipts && (await confirmationsOf(path, asked.receipts, asked.signal)),
  }
}

async function sizesOf(
  layers: Layers | undefined,
  { store, mirrors }: Asked,
): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>()
  for (const { recipe } of layers?.nodes ?? [])
    for (const source of fetchedSources(recipe.sources)) {
      if (sizes.has(source.sha256)) continue
      const size = blobSize(store.root, source.sha256) || (await sizeInMirrors(mirrors, source))
      if (size > 0) sizes.set(source.sha256, size)
    }
  return sizes
}

/** Fails with `no-time` for signers with time limits: the page must not depend on the clock. */
async function confirmationsOf(
  record: string,
  asked: AskedReceipts,
  signal: AbortSignal,
): Promise<Examined> {
  const { paths, signers, at } = asked
  if (signers !== undefined && at === undefined) {
    const limited = (await readSigners(signers)).find(
      ({ validAfter, validBefore }) => validAfter !== undefined || validBefore !== undefined,
    )
    if (limited !== undefined)
      throw new FixpointError(
        'no-time',
        `Cannot judge "${limited.names}" in "${signers}": the key is valid for a time only`,
      )
  }
  return examineReceipts({ record, paths, signers, at: at ?? 0, require: undefined, signal })
}
