import { digestOfFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { Blobs } from './rooms.ts'

/**
 * Moves a file from elsewhere in as the blob `digest`, after hashing it. Fails with `blob-digest`
 * for another file. See {@link Blobs.commit} for files that were hashed as they were written.
 */
export async function adoptFile(
  blobs: Blobs,
  path: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<void> {
  const actual = await digestOfFile(path, signal)
  if (actual !== digest) {
    throw new FixpointError(
      'blob-digest',
      `Cannot store "${path}": sha256 is ${actual}, wanted ${digest}`,
    )
  }
  await blobs.commit(path, digest)
}
