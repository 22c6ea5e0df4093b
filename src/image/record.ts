import { z } from 'zod'
import { isDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode } from '../base/files.ts'
import { readRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value))

const recordSchema = z.object({
  recipe: z.string(),
  artifact: digest,
  recipes: z.array(
    z.object({
      recipe: z.custom<RecipeId>((value) => typeof value === 'string'),
      version: z.string(),
      key: digest,
      artifact: digest.optional(),
    }),
  ),
})

/** Bytes of a record; those of images are far below. */
export const LARGEST_RECORD = 256 << 20

/** What the file beside an image tells of it, as far as it is read again. */
export type ImageRecord = z.infer<typeof recordSchema>

/** Reads the file NAME.json that is put beside an image. Fails with `no-record`. */
export async function readImageRecord(path: string): Promise<ImageRecord> {
  try {
    // What is no regular file, or larger than any record, is none.
    return recordSchema.parse(JSON.parse((await readRegular(path, LARGEST_RECORD, 'follow')) ?? ''))
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'there is no such file' : systemReason(cause)
    if (reason !== undefined)
      throw new FixpointError('usage', 'no-record', `Cannot read "${path}": ${reason}`, { cause })
    throw new FixpointError(
      'usage',
      'no-record',
      `Cannot use "${path}": it is not the record of an image`,
      {
        hint: '`fixpoint build` puts one beside each image: NAME.json',
        cause,
      },
    )
  }
}
