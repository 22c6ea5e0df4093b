import { mkdir, mkdtemp, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTree } from '../base/files.ts'
import { takeLock, type Lock } from './lock.ts'

/** A run of an engine that writes to a store. */
export interface Session {
  /** Folder of its own for work and temporary files; removed at the end, or by the next session after a crash. */
  readonly folder: string
  close(): Promise<void>
}

/**
 * Begins a session on the store below `root`: shares the store's lock, so that garbage collection waits, sweeps what ended sessions left, and
 * makes a folder that is locked as long as this process lives.
 */
export async function openSession(root: string): Promise<Session> {
  const store = await lockFile(join(root, 'locks', 'store'), { shared: true })
  // One session at a time comes in: a folder whose lock is not yet taken would look like a left one.
  const door = await lockFile(join(root, 'locks', 'sessions'))
  try {
    await sweep(join(root, 'work'))
    const folder = await mkdtemp(join(root, 'work', 'session-'))
    await mkdir(join(folder, 'tmp'))
    const own = await lockFile(join(folder, 'lock'))
    return {
      folder,
      close: async () => {
        // Behind the door, so that nobody comes in and takes a half-removed folder for a left one.
        const exit = await lockFile(join(root, 'locks', 'sessions'))
        await removeTree(folder)
        await exit?.release()
        await own?.release()
        await store?.release()
      },
    }
  } finally {
    await door?.release()
  }
}

async function sweep(work: string): Promise<void> {
  for (const name of await readdir(work)) {
    const folder = join(work, name)
    const left = await lockFile(join(folder, 'lock'), { tryOnly: true })
    if (left === undefined) continue
    // What cannot be removed yet, since a killed engine's last process is still ending, is left to the next session.
    await removeTree(folder).catch(() => undefined)
    await left.release()
  }
}

async function lockFile(path: string, options: Parameters<typeof takeLock>[1] = {}): Promise<Lock | undefined> {
  await (await open(path, 'a')).close()
  return takeLock(path, options)
}
