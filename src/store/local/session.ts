import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile } from '../../base/commit-file.ts'
import { explainDiskFull } from '../../base/files.ts'
import { claim } from './claim.ts'
import { Fifos } from './fifos.ts'
import type { Lock } from './lock.ts'
import { openSession, SESSION_LOCK, type SessionFolder } from './session-folder.ts'

/**
 * This process's part in a store. It begins with the first call that needs it: a process that only
 * reads the store waits for no lock. Garbage collection waits for all sessions to end.
 */
export class Session {
  readonly #root: string
  #open: Promise<SessionFolder> | undefined
  #serial = 0

  /** Fifos of the session. */
  readonly fifos = new Fifos(() => this.temporaryPath('fifo'))

  constructor(root: string) {
    this.#root = root
  }

  /** The session's own folder, which is removed with it. */
  async folder(): Promise<string> {
    this.#open ??= openSession(this.#root).catch((error: unknown) => {
      this.#open = undefined
      throw explainDiskFull(error, this.#root)
    })
    return (await this.#open).folder
  }

  /** A fresh path in the session's folder, so on the store's file system. */
  async temporaryPath(label: string): Promise<string> {
    this.#serial += 1
    const name = `${label}.${this.#serial}` // before others take the next number
    return join(await this.folder(), 'tmp', name)
  }

  /** Writes a small file of the store, whole or not at all. `label` names the temporary one. */
  async write(path: string, text: string, label: string): Promise<void> {
    const temporary = await this.temporaryPath(label)
    await writeFile(temporary, text)
    await commitFile(temporary, path)
  }

  /** Takes the store's lock called `name`, as {@link claim} does. */
  async lock(name: string, signal?: AbortSignal): Promise<Lock> {
    const folder = await this.folder()
    return claim(join(this.#root, 'locks', name), join(folder, SESSION_LOCK), signal)
  }

  /** Removes what killed engines left. A session does so when it begins; a run may need none. */
  async sweep(): Promise<void> {
    if ((await readdir(join(this.#root, 'work'))).length > 0) await this.folder()
  }

  /** Ends the session, if it began, and removes its folder. */
  async close(): Promise<void> {
    const open = await this.#open
    this.#open = undefined
    await open?.close()
  }
}
