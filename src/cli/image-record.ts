import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { isDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/events.ts'
import { errorCode } from '../base/files.ts'

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

/** What the file beside an image tells of it, as far as it is read again. */
export type ImageRecord = z.infer<typeof recordSchema>

/** Reads the file NAME.json that is put beside an image. Fails with `no-record`. */
export async function readImageRecord(path: string): Promise<ImageRecord> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT')
      throw new FixpointError('usage', 'no-record', `Cannot read "${path}": there is no such file`, { cause })
    throw new FixpointError('usage', 'no-record', `Cannot use "${path}": it is not the record of an image`, {
      hint: '`fixpoint build` puts one beside each image: NAME.json',
      cause,
    })
  }
}
