import { writeFile } from 'node:fs/promises'
import type { Digest } from '../base/digest.ts'
import type { Store } from './store.ts'

/** Stores bytes that the caller has hashed as a blob, unless it is there. */
export async function keepBytes(store: Store, bytes: Buffer, digest: Digest): Promise<void> {
  if (store.blobs.has(digest)) return
  const path = await store.session.temporaryPath('bytes')
  await writeFile(path, bytes)
  await store.blobs.commit(path, digest)
}
