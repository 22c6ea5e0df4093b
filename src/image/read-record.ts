import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { digestOfFile } from '../base/digest.ts'
import { digestSchema } from '../base/digest-schema.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { readRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'
import { LARGEST_RECORD, recordBeside } from './record.ts'

const fileSchema = z.object({
  /** No file has a name with this character, and Node takes it for a bug. */
  path: z.string().refine((path) => !path.includes('\0'), 'it has the character NUL'),
  sha256: digestSchema,
  /** Permission bits. */
  mode: z.int().min(0).max(0o7777).optional(),
})

/** Entries of a list: far more than any image has, and few enough to work with. */
const MOST_ENTRIES = 100_000

/** Ten years, in milliseconds. */
const LONGEST = 10 * 365 * 86_400_000

const listOf = <T extends z.ZodType>(entry: T): z.ZodArray<T> => z.array(entry).max(MOST_ENTRIES)

const recordSchema = z.object({
  recipe: z.string(),
  /** Key of the image. The earliest versions did not write it. */
  key: digestSchema.optional(),
  artifact: digestSchema,
  files: listOf(fileSchema),
  recipes: listOf(
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
  sources: listOf(z.object({ name: z.string(), sha256: digestSchema })).optional(),
})

/** A number of bytes or files. */
const amount = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER)

/** Milliseconds. */
const time = z.number().nonnegative().max(LONGEST)

/** What a record says beyond {@link recordSchema}; earlier ones say less. */
const detailedSchema = recordSchema.extend({
  files: listOf(fileSchema.extend({ size: amount.optional() })),
  recipes: listOf(
    recordSchema.shape.recipes.element.extend({
      durationMs: time.optional(),
      cpuMs: time.optional(),
      peakMemory: amount.optional(),
      size: amount.optional(),
    }),
  ),
  host: z.object({ system: z.string() }).optional(),
  seeds: listOf(
    z.object({
      kind: z.string(),
      why: z.string(),
      sources: listOf(z.object({ source: z.string(), files: amount, bytes: amount })),
    }),
  ).optional(),
})

/** What an image's record says of it, as far as it is read again. */
export type ImageRecord = z.infer<typeof recordSchema>

/** All that an image's record says: also what was measured, in milliseconds and bytes. */
export type DetailedRecord = z.infer<typeof detailedSchema>

/** Reads an image's record. Fails with `no-record`. */
export function readImageRecord(path: string): Promise<ImageRecord> {
  return readRecord(path, recordSchema)
}

/** Reads all of an image's record. Fails with `no-record`. */
export function readDetailedRecord(path: string): Promise<DetailedRecord> {
  return readRecord(path, detailedSchema)
}

async function readRecord<T extends ImageRecord>(path: string, schema: z.ZodType<T>): Promise<T> {
  const record = await parseRecord(path, schema)
  const reason = contradictionOf(record)
  if (reason === undefined) return record
  throw new FixpointError('no-record', `Cannot use "${path}": it contradicts itself, ${reason}`)
}

async function parseRecord<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    // What is no regular file, or larger than any record, is none.
    return schema.parse(JSON.parse((await readRegular(path, LARGEST_RECORD, 'follow')) ?? ''))
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'there is no such file' : systemReason(cause)
    if (reason !== undefined)
      throw new FixpointError('no-record', `Cannot read "${path}": ${reason}`, { cause })
    const field = cause instanceof z.ZodError ? faultyField(cause) : ''
    throw new FixpointError(
      'no-record',
      `Cannot use "${path}": it is not the record of an image${field}`,
      { cause },
    )
  }
}

/** The first field that is wrong, and what is. */
function faultyField({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined || issue.path.length === 0) return ''
  return `: field "${issue.path.join('.')}" is wrong: ${issue.message}`
}

/** A record has each recipe once, and the image's own with the image's key and artifact. */
function contradictionOf({ recipe, key, artifact, recipes }: ImageRecord): string | undefined {
  const entries = new Map<string, ImageRecord['recipes'][number]>()
  for (const entry of recipes) {
    if (entries.has(entry.recipe)) return `since it lists "${entry.recipe}" twice`
    entries.set(entry.recipe, entry)
  }
  const own = entries.get(recipe)
  if (own === undefined) return `since it does not list its image "${recipe}"`
  if (own.host === true) return `since it lists its image "${recipe}" as made by the host`
  if (own.artifact !== artifact) return `since it lists "${recipe}" with another artifact`
  if (key !== undefined && own.key !== key) return `since it lists "${recipe}" with another key`
  return undefined
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
 * Files that an image is: the one at `path`, its record, and those that this describes beside it.
 * Fails with `no-record`.
 */
export async function filesOfImage(path: string): Promise<string[]> {
  const { path: record, record: described } = await readRecordOf(path)
  return [path, record, ...described.files.map((file) => join(dirname(record), file.path))]
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
