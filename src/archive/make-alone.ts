import { dirname } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { makeFolder } from '../base/files.ts'
import { explainSystemError } from '../base/system-error.ts'
import { makeWholeFolder } from '../base/whole-folder.ts'
import { takeLock } from '../store/local/lock.ts'

/**
 * Makes a new folder as {@link makeWholeFolder} does. A lock on the folder above keeps other runs
 * from removing what this one works in. It is no store's lock, so no store is needed. `check`
 * rejects when something is at `target`, an absolute path. Fails with `kit-busy` while another run
 * makes something in the folder above.
 */
export async function makeAlone<T>(
  target: string,
  { signal, check }: { readonly signal: AbortSignal; readonly check: () => Promise<void> },
  write: (part: string) => Promise<T>,
): Promise<T> {
  const above = dirname(target)
  await makeFolder(above)
  const lock = await takeLock(above, { tryOnly: true, signal })
  if (lock === undefined)
    throw new FixpointError(
      'kit-busy',
      `Cannot make "${target}": another command makes something in "${above}"`,
    )
  try {
    await check()
    return await makeWholeFolder(target, write, 'alone')
  } catch (error) {
    throw explainSystemError(error)
  } finally {
    await lock.release()
  }
}
