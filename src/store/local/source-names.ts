import { closeSync, mkdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beneath, Folder } from '../base/beneath.ts'
import type { Digest } from '../base/digest.ts'
import { errorCode, removeTree } from '../base/files.ts'

/**
 * Names under which the digest of a source was found right, as empty files `names/DIGEST/NAME`. A
 * recipe whose version changed, and whose digest was forgotten, is told by them: under its new name
 * that digest was never seen. Each name is a file of its own, so two engines cannot lose each
 * other's. Whoever loses them loses that check alone.
 */
const NAMES = 'names'

/** The names that are noted for a source; none when nothing can be read there. */
export function notedNames(root: string, digest: Digest): readonly string[] {
  try {
    return beneath(root, `${NAMES}/${digest}`, (folder, name) => {
      const own = folder.folder(name)
      try {
        return own.names().map((bytes) => decodeURIComponent(bytes.toString()))
      } finally {
        own.close()
      }
    })
  } catch {
    return []
  }
}

/**
 * Notes names for a source. Does nothing where that is impossible, as in a store that is read-only.
 */
export function noteNames(root: string, digest: Digest, names: readonly string[]): void {
  try {
    const store = Folder.open(root)
    try {
      within(store, NAMES, (all) => {
        within(all, digest, (own) => {
          for (const name of names) makeFile(own, encodeURIComponent(name))
        })
      })
    } finally {
      store.close()
    }
  } catch {
    // A check is lost, nothing else.
  }
}

/** Removes the names of all sources but those that `keep` names. */
export async function forgetNames(root: string, keep: ReadonlySet<Digest>): Promise<void> {
  const folder = join(root, NAMES)
  for (const name of await readdir(folder).catch(() => []))
    if (!keep.has(name as Digest)) await removeTree(join(folder, name))
}

function within(parent: Folder, name: string, use: (folder: Folder) => void): void {
  unless(['EEXIST'], () => {
    mkdirSync(parent.at(name), 0o700)
  })
  const folder = parent.folder(name)
  try {
    use(folder)
  } finally {
    folder.close()
  }
}

/** A name that is too long for a file is left out. */
function makeFile(folder: Folder, name: string): void {
  unless(['EEXIST', 'ENAMETOOLONG'], () => {
    closeSync(folder.create(name, 0o600))
  })
}

function unless(codes: readonly string[], make: () => void): void {
  try {
    make()
  } catch (error) {
    if (!codes.includes(errorCode(error) ?? '')) throw error
  }
}
