import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { makeFolder, removeTree, syncFolder } from '../base/files.ts'
import { takeLock } from '../store/lock.ts'

/**
 * Lets `use` work in a folder of its own: empty, or as an interrupted use for the same `digest` left it, which `resumed` tells. It is removed when `use`
 * has come to its end. Where that found something not reproducible, the folder stays to be looked at, and the next use begins anew. Fails with `rebuild-running`.
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
    throw new FixpointError('usage', 'rebuild-running', `Cannot rebuild: another rebuild is under way in "${folder}"`)
  }
  const marker = join(folder, 'OF')
  try {
    const resumed = (await readFile(marker, 'utf8').catch(() => undefined)) === digest
    if (!resumed) {
      await remove(folder, marker)
      await mkdir(folder)
      await writeFile(marker, digest)
    }
    // As a store: what is unpacked or built in there may hold programs that are setuid. Also of one that was left wider.
    await chmod(folder, 0o700)
    try {
      await use(resumed)
    } catch (error) {
      if (error instanceof FixpointError && error.kind === 'notReproducible') await rm(marker, { force: true })
      throw error
    }
    await remove(folder, marker)
  } finally {
    await lock.release()
  }
}

/** The marker first, and for good: what is left when the power goes meanwhile is not taken for an interrupted use. */
async function remove(folder: string, marker: string): Promise<void> {
  await rm(marker, { force: true })
  await syncFolder(folder).catch(() => undefined) // it may not be there
  await removeTree(folder)
}
