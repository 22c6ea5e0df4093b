import { chmod } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { makeFolder } from '../base/files.ts'
import { lockFile } from './local/lock.ts'
import { claimFolder, emptyFolder, markFolder, removeFolder } from './claimed-folder.ts'

/**
 * Lets `use` work in a folder of its own, and removes it at the end. The folder is empty, or has
 * what an interrupted use for the same `digest` left: then `resumed` is true. It stays when `use`
 * fails with `notReproducible`, for people to look at; the next use empties it. Fails with
 * `rebuild-running`, or with `not-own-folder` where something else is.
 */
export async function withResumable<T>(
  folder: string,
  digest: Digest,
  use: (resumed: boolean) => Promise<T>,
): Promise<T> {
  await makeFolder(dirname(folder))
  const lock = await lockFile(`${folder}.lock`, { tryOnly: true })
  if (lock === undefined) {
    throw new FixpointError(
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
    // As for a store: setuid programs may be unpacked or built in there.
    await chmod(folder, 0o700)
    let result: T
    try {
      result = await use(resumed)
    } catch (error) {
      if (error instanceof FixpointError && error.kind === 'notReproducible')
        await markFolder(folder, 'differed')
      throw error
    }
    await removeFolder(folder)
    return result
  } finally {
    await lock.release()
  }
}
