import { readText } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { parseListing, type Listing } from '../artifact/listing.ts'
import { listingPath } from './layout.ts'

/** The listing of an artifact as it was noted. Undefined when there is none, or it is damaged. */
export function readListing(root: string, digest: Digest): Listing | undefined {
  try {
    return parseListing(digest, readText(listingPath(root, digest)))
  } catch {
    return undefined
  }
}
