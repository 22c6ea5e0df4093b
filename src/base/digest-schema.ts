import { z } from 'zod'
import { isDigest, type Digest } from './digest.ts'

/**
 * A digest in a file that is read. Apart from digest.ts, which all commands load: loading zod takes
 * longer than most of them.
 */
export const digestSchema = z.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
)
