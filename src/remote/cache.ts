import type { Digest } from '../base/digest.ts'
import type { BlobPlace } from '../fetch/candidates.ts'

/**
 * A place of records and blobs: `/ac/NAME` and `/cas/DIGEST`, below an address or a folder. Calls
 * fail with {@link CacheFault}, or with the signal's reason.
 */
export interface Cache extends BlobPlace {
  /** Where it is, as people may read it: without a password. */
  readonly shown: string
  /** The file of a record; undefined where there is none. */
  record(name: Digest, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** Whether it has the blob, as far as its size shows. */
  hasBlob(digest: Digest, size: number, signal: AbortSignal): Promise<boolean>
  /** Like {@link hasBlob}, and with these bytes, as far as they can be read without a network. */
  hasSoundBlob(digest: Digest, size: number, signal: AbortSignal): Promise<boolean>
  /** Writes the blob in the file at `path`, which has `size` bytes. */
  putBlob(digest: Digest, path: string, size: number, signal: AbortSignal): Promise<void>
  putRecord(name: Digest, record: Uint8Array, signal: AbortSignal): Promise<void>
}

/** A cache did not do what it should. Others may have chosen the reason. */
export class CacheFault extends Error {
  /** True when it let us wait for longer than it may. */
  readonly isLate: boolean

  constructor(
    reason: string,
    { cause, isLate = false }: { cause?: unknown; isLate?: boolean } = {},
  ) {
    super(reason, { cause })
    this.isLate = isLate
  }
}
