import { closeSync, mkdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beneath, Folder, readIfThere } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { errorCode } from '../../base/files.ts'
import { noteOf, textOfNote } from '../../base/notes.ts'
import { removeTree } from '../../base/remove-tree.ts'
import type { Sources } from '../rooms.ts'
import type { Lock } from './lock.ts'
import type { Session } from './session.ts'

/** Folders below the store's: names, and what else was noted of sources. */
const [NAMES, NOTES] = ['names', 'notes']

/**
 * Unfinished downloads as `partial/DIGEST`, names as empty files `names/DIGEST/NAME`, and what was
 * found out about a source as `notes/DIGEST`.
 *
 * The names catch a recipe whose version was changed and whose digest was forgotten: its digest was
 * never seen under the new name. Each name is a file, so two engines cannot lose each other's.
 * Without the names nothing but that check is lost.
 */
export class LocalSources implements Sources {
  readonly #root: string
  readonly #session: Session

  constructor(root: string, session: Session) {
    this.#root = root
    this.#session = session
  }

  async partialPath(digest: Digest): Promise<string> {
    await this.#session.folder() // garbage collection would remove the download
    return join(this.#root, 'partial', digest)
  }

  claim(digest: Digest, signal: AbortSignal): Promise<Lock> {
    return this.#session.lock(`source-${digest}`, signal)
  }

  names(digest: Digest): readonly string[] {
    try {
      return beneath(this.#root, `${NAMES}/${digest}`, (folder, name) => {
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

  noteNames(digest: Digest, names: readonly string[]): void {
    try {
      Folder.with(this.#root, (store) => {
        within(store, NAMES, (all) => {
          within(all, digest, (own) => {
            for (const name of names) makeFile(own, encodeURIComponent(name))
          })
        })
      })
    } catch {
      // The store may be read-only. One check is lost, nothing else.
    }
  }

  finding(digest: Digest, form: string): string | undefined {
    try {
      return textOfNote(readIfThere(join(this.#root, NOTES, digest)) ?? '', form)
    } catch {
      return undefined
    }
  }

  async noteFinding(digest: Digest, form: string, text: string): Promise<void> {
    const path = join(this.#root, NOTES, digest)
    // The store may be read-only. It is found out again, nothing else.
    await this.#session.write(path, noteOf(form, text), 'note').catch(() => undefined)
  }
}

/** Removes names and notes of all sources but those in `keep`. */
export async function forgetSources(root: string, keep: ReadonlySet<Digest>): Promise<void> {
  for (const folder of [NAMES, NOTES].map((name) => join(root, name)))
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

/** Leaves out a name that is too long for a file. */
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
