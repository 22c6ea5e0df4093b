import type { RecipeId } from '../../base/recipe-id.ts'
import { readRecordOf, requireRecorded } from '../../image/read-record.ts'
import { recordedPlan } from '../../image/recorded-plan.ts'
import type { Metadata } from '../../metadata/model.ts'
import { billOf, type Bill } from './bill.ts'
import type { Format } from './formats.ts'

/** What a bill of materials is written from. */
export interface BillContext {
  /** The layers in effect. */
  readonly metadata: Metadata
  /** Version of the engine. */
  readonly engine: string
  readonly signal: AbortSignal
}

/** A bill of materials. */
export interface WrittenBill {
  readonly image: RecipeId
  /** JSON, with a newline at its end. */
  readonly text: string
  /** Recipes that it was built from; of those, the ones that are installed in it. */
  readonly packages: number
  readonly installed: number
  /** Sources: files that are fetched, and folders of the checkout. */
  readonly sources: number
  readonly folders: number
}

/**
 * The bill of materials of an image. `path` is the image or its record. It is computed from the
 * record and the layers, and so the same on every machine: no store is looked at, and of the image
 * only whether it is that of the record. Fails with `no-record`, `image-not-recorded`,
 * `papers-other-layers` or `lint-license`.
 */
export async function writeBill(
  path: string,
  format: Format,
  { metadata, engine, signal }: BillContext,
): Promise<WrittenBill> {
  const recorded = await readRecordOf(path)
  const plan = recordedPlan(recorded, metadata)
  await requireRecorded(path, recorded, signal)
  const bill = billOf(recorded.record, plan, engine)
  const { image, packages, sources } = bill
  const text = await textOf(bill, format)
  return {
    image: image.id,
    text,
    packages: packages.length,
    installed: packages.filter(({ role }) => role === 'content').length,
    sources: sources.length,
    folders: sources.filter(({ kind }) => kind === 'tree').length,
  }
}

/** The library of one format takes longer to load than all else. */
async function textOf(bill: Bill, format: Format): Promise<string> {
  switch (format) {
    case 'cyclonedx':
      return (await import('./cyclonedx.ts')).cycloneDx(bill)
    case 'spdx':
      return (await import('./spdx.ts')).spdx(bill)
  }
}
