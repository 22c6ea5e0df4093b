import { lstatSync } from 'node:fs'
import type { Digest } from '../base/digest.ts'
import { blobPath } from './local/layout.ts'

/** Bytes of a blob. None for an installed artifact that has no blob yet. */
export function blobSize(root: string, digest: Digest): number {
  return lstatSync(blobPath(root, digest), { throwIfNoEntry: false })?.size ?? 0
}
