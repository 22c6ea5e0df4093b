import { chmod, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { makeFolder } from '../base/files.ts'
import { takeLock } from './lock.ts'
import { claimFolder, emptyFolder, markFolder, removeFolder } from './claimed-folder.ts'

/**
 * Lets `use` work in a folder of its own: empty, or as an interrupted use for the same `digest`
 * left it, which `resumed` tells. It is removed when `use` has come to its end. Where that found
 * something not reproducible, the folder stays to be looked at, and the next use begins anew. Fails
 * with `rebuild-running`, or `not-own-folder` where something else lies there.
 */
export async function withResumable(
  folder: string,
  digest: Digest,
  use: (resumed: boolean) => Promise<void>,
): Promise<void> {
  const lockFile = `${folder}.lock`
  await makeFolder(dirname(folder))
  await writeFile(lockFile, '', { flag: 'a' })
  const lock = await takeLock(lockFile, { tryOnly: true })
  if (lock === undefined) {
    throw new FixpointError(
      'usage',
      'rebuild-running',
      `Cannot rebuild: another rebuild is under way in "${folder}"`,
    )
  }
  try {
    const mark = await claimFolder(folder)
    const resumed = mark === digest
    if (!resumed) {
      if (mark !== undefined) await emptyFolder(folder)
      await markFolder(folder, digest)
    }
    // As a store: what is unpacked or built in there may hold programs that are setuid. Also of one
    // that was left wider.
    await chmod(folder, 0o700)
    try {
      await use(resumed)
    } catch (error) {
      if (error instanceof FixpointError && error.kind === 'notReproducible')
        await markFolder(folder, 'differed')
      throw error
    }
    await removeFolder(folder)
  } finally {
    await lock.release()
  }
}
