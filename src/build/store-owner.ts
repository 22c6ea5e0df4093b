import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FixpointError } from '../base/error.ts'

/**
 * Makes sure that sandboxes get to the store. Root itself gets everywhere, but root's sandbox has
 * the rights of an ordinary user. Fails with `store-owner`.
 */
export async function requireOwnStore(root: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const groups = process.getgroups?.() ?? []
  for (const folder of withParents(await realpath(root))) {
    const { uid, gid, mode } = await stat(folder)
    const entered = uid === 0 ? 0o100 : groups.includes(gid) ? 0o010 : 0o001
    if ((mode & entered) !== 0) continue
    throw new FixpointError(
      'store-owner',
      `Cannot build in store "${root}": "${folder}" belongs to user ${uid}, ` +
        'who lets no sandbox of root in',
    )
  }
}

/** A folder and all above it, from the root down. */
function withParents(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [...withParents(parent), folder]
}
