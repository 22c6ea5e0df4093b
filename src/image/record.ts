import { basename } from 'node:path'
import { z } from 'zod'
import { digestOfFile, type Digest } from '../base/digest.ts'
import { digestSchema } from '../base/digest-schema.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode } from '../base/files.ts'
import { readRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'
import type { FileSource } from '../metadata/model.ts'
import { mirrorFiles } from '../plan/action-document.ts'
import { reachable, sourcesOf, usedBy } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { Listing } from '../store/artifact/listing.ts'
import type { PlanView } from '../store/plan-view.ts'
import { describeHost } from './host-description.ts'

const recordSchema = z.object({
  recipe: z.string(),
  artifact: digestSchema,
  files: z.array(z.object({ path: z.string(), sha256: digestSchema })),
  recipes: z.array(
    z.object({
      recipe: z.custom<RecipeId>((value) => typeof value === 'string'),
      version: z.string(),
      key: digestSchema,
      artifact: digestSchema.optional(),
      /** True for a recipe of a layer that sees the host, whose artifact may differ there. */
      host: z.literal(true).optional(),
    }),
  ),
  /** All that it was built from. Earlier versions did not write it. */
  sources: z.array(z.object({ name: z.string(), sha256: digestSchema })).optional(),
})

/** A number that was measured. */
const amount = z.number().nonnegative()

/** What a record says beyond {@link recordSchema}; earlier ones say less. */
const detailedSchema = recordSchema.extend({
  files: z.array(z.object({ path: z.string(), sha256: digestSchema, size: amount.optional() })),
  recipes: z.array(
    recordSchema.shape.recipes.element.extend({
      durationMs: amount.optional(),
      cpuMs: amount.optional(),
      peakMemory: amount.optional(),
      size: amount.optional(),
    }),
  ),
  host: z.object({ system: z.string() }).optional(),
  seeds: z
    .array(
      z.object({
        kind: z.string(),
        why: z.string(),
        sources: z.array(z.object({ source: z.string(), files: amount, bytes: amount })),
      }),
    )
    .optional(),
})

/** Bytes of a record; those of images are far below. */
const LARGEST_RECORD = 256 << 20

/** How the name of an image's record ends: the file NAME.json beside it. */
export const RECORD_SUFFIX = '.json'

/** Path of the record that lies beside an image. */
export function recordPathOf(image: string): string {
  return image.replace(/\.[^./]+$/, '') + RECORD_SUFFIX
}

/** What an image's record says of it, as far as it is read again. */
export type ImageRecord = z.infer<typeof recordSchema>

/** All that an image's record says: also what was measured, in milliseconds and bytes. */
export type DetailedRecord = z.infer<typeof detailedSchema>

/** The record that `path` names: itself, or the one that lies beside an image. */
export function recordBeside(path: string): string {
  return path.endsWith(RECORD_SUFFIX) ? path : recordPathOf(path)
}

/** Reads an image's record. Fails with `no-record`. */
export function readImageRecord(path: string): Promise<ImageRecord> {
  return readRecord(path, recordSchema)
}

/** Reads all of an image's record. Fails with `no-record`. */
export function readDetailedRecord(path: string): Promise<DetailedRecord> {
  return readRecord(path, detailedSchema)
}

async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    // What is no regular file, or larger than any record, is none.
    return schema.parse(JSON.parse((await readRegular(path, LARGEST_RECORD, 'follow')) ?? ''))
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'there is no such file' : systemReason(cause)
    if (reason !== undefined)
      throw new FixpointError('no-record', `Cannot read "${path}": ${reason}`, { cause })
    throw new FixpointError('no-record', `Cannot use "${path}": it is not the record of an image`, {
      cause,
    })
  }
}

/** An image, as a user names it. */
export interface RecordedImage {
  /** Path of its record, NAME.json. */
  readonly path: string
  readonly record: ImageRecord
}

/**
 * Reads the record at `path`, or the one beside the image at `path`. Fails with `no-record`.
 */
export async function readRecordOf(path: string): Promise<RecordedImage> {
  const record = recordBeside(path)
  return { path: record, record: await readImageRecord(record) }
}

/**
 * Makes sure that the file at `path`, if that is not the record itself, is the image that the
 * record describes. Fails with `image-not-recorded`.
 */
export async function requireRecorded(
  path: string,
  { path: recordPath, record }: RecordedImage,
  signal: AbortSignal,
): Promise<void> {
  if (path === recordPath) return
  const recorded = record.files.find((file) => file.path === basename(path))
  if (recorded !== undefined && (await digestOfFile(path, signal)) === recorded.sha256) return
  throw new FixpointError(
    'image-not-recorded',
    `Cannot tell what "${path}" is made of: its record "${recordPath}" is that of another file`,
  )
}

/** The record at `path`; undefined when there is none, or it is not one of ours. */
export async function recordIfThere(path: string): Promise<ImageRecord | undefined> {
  return readImageRecord(path).catch(() => undefined)
}

/** What a record is made from. */
export interface RecordContext extends PlanView {
  /** Lists what is not source code among the sources of an image's mirror. */
  readonly listSeeds: (sources: readonly FileSource[]) => Promise<unknown>
}

/**
 * The text of an image's record: keys, artifacts and times of all that was built for it, their
 * sources, the host, and what its mirror holds that is not source code. Unlike the manifest inside
 * the image it says something of the host and of times, so it is in no artifact.
 */
export async function describeImage(
  plan: Plan,
  id: RecipeId,
  files: Listing,
  { store, indexName, listSeeds }: RecordContext,
): Promise<string> {
  const used = builtFor(plan, id)
  const recipes = [...plan.values()].flatMap(({ node, key, artifact }) => {
    if (key === undefined || !used.has(node.recipe.id)) return []
    const { id: recipe, version, host } = node.recipe
    const entry = store.index.find(indexName(key, host))
    const { durationMs, cpuMs, peakMemory, size } = entry ?? {}
    const built = artifact ?? entry?.artifact
    const facts = { artifact: built, host: host || undefined, durationMs, cpuMs, peakMemory, size }
    return [{ recipe, version, key, ...facts }]
  })
  const { key, artifact, node } = plan.get(id) ?? {}
  const seeds = node?.mirror && (await listSeeds(node.mirror))
  const sources = sourceFiles(used, plan)
  const record = { recipe: id, key, artifact, files, host: describeHost(), recipes, sources, seeds }
  return `${JSON.stringify(record, undefined, 1)}\n`
}

/** The files of all sources, by the names that they have in a mirror. */
function sourceFiles(used: ReadonlySet<RecipeId>, plan: Plan): { name: string; sha256: Digest }[] {
  const nodes = [...plan.values()]
    .map(({ node }) => node)
    .filter(({ recipe }) => used.has(recipe.id))
  return mirrorFiles(nodes.flatMap(sourcesOf)).map(({ name, digest }) => ({ name, sha256: digest }))
}

/** Whether a record has the keys that a plan has for all that an image is built from. */
export function recordsKeysOf(record: ImageRecord, plan: Plan, id: RecipeId): boolean {
  return firstOtherKey(record, plan, id) === undefined
}

/**
 * The first recipe, in the order of building, whose key in a plan is not that in an image's record;
 * undefined when all are the same.
 */
export function firstOtherKey(
  { recipes }: ImageRecord,
  plan: Plan,
  id: RecipeId,
): RecipeId | undefined {
  const before = new Map(recipes.map(({ recipe, key }) => [recipe, key]))
  const used = builtFor(plan, id)
  return [...plan].find(([recipe, { key }]) => used.has(recipe) && before.get(recipe) !== key)?.[0]
}

/** An image and all that it was built from, without what else was built with it. */
export function builtFor(plan: Plan, image: RecipeId): ReadonlySet<RecipeId> {
  return reachable([image], (id) => {
    const node = plan.get(id)?.node
    return node === undefined ? [] : usedBy(node)
  })
}
