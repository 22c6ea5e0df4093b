import { chmodSync, utimesSync } from 'node:fs'
import type { Descent } from '../../base/beneath.ts'
import { EPOCH } from '../../base/constants.ts'
import type { Turns } from '../../base/turns.ts'
import type { Entry } from './listing.ts'

/**
 * Gives the folders among `entries` their modes and the constant time. Each folder comes before
 * what it holds. Call it last: writing into a folder changes its time, and its mode may forbid
 * writing. The umask has no say.
 */
export async function finishFolders(
  entries: readonly Entry[],
  tree: Descent,
  turns: Turns,
): Promise<void> {
  // From the inside out.
  for (const entry of entries.toReversed()) {
    if (entry.type !== 'folder') continue
    const { folder, name } = tree.reach(entry.path)
    const own = folder.folder(name)
    try {
      utimesSync(own.self, EPOCH, EPOCH)
      chmodSync(own.self, entry.mode)
    } finally {
      own.close()
    }
    await turns.pass()
  }
}
