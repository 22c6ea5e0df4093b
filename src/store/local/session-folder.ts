import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeDefaultAcl } from '../../base/default-acl.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { flushFreshTrees, FRESH_TREES, removeTornTrees } from './fresh-trees.ts'
import { lockFile, type Lock } from './lock.ts'

/** A session's file, locked as long as the session lives. */
export const SESSION_LOCK = 'lock'

/** The folder of an open session. */
export interface SessionFolder {
  /** For work and temporary files. Removed at the end, or after a crash by the next session. */
  readonly folder: string
  close(): Promise<void>
}

/** Folders of this process's open sessions, and the lock that they are removed behind. */
const openFolders = new Map<string, string>()

/**
 * Begins a session on the store below `root`. Shares the store's lock, so that garbage collection
 * waits. Removes what ended sessions left. Makes a folder that is locked as long as this process
 * lives.
 */
export async function openSession(root: string): Promise<SessionFolder> {
  const store = await lockFile(join(root, 'locks', 'store'), { shared: true })
  try {
    const { folder, own } = await enter(root)
    openFolders.set(folder, join(root, 'locks', 'sessions'))
    return {
      folder,
      close: async () => {
        try {
          await leave(root, folder, own)
          openFolders.delete(folder)
        } finally {
          await store?.release()
        }
      },
    }
  } catch (error) {
    // The lock's child would keep this process alive.
    await store?.release()
    throw error
  }
}

/** Flushes what a session has put into the store, then removes its folder. */
const ABANDON = 'sync -f "$1" && rm -rf "$1"'

/** For a process that ends at once: starts others, which remove the folders of its sessions. */
export function abandonSessions(): void {
  for (const [folder, door] of openFolders) {
    const command = [door, 'sh', '-c', ABANDON, 'sh', folder]
    spawn('flock', command, { stdio: 'ignore', detached: true }).unref()
  }
}

/** Makes a session's folder and locks it. */
async function enter(root: string): Promise<{ folder: string; own: Lock | undefined }> {
  // One session at a time: a folder whose lock is not yet taken looks like one of an ended session.
  const door = await lockFile(join(root, 'locks', 'sessions'))
  try {
    await sweep(root)
    const folder = await mkdtemp(join(root, 'work', 'session-'))
    removeDefaultAcl(folder)
    await mkdir(join(folder, 'tmp'))
    await mkdir(join(folder, FRESH_TREES))
    return { folder, own: await lockFile(join(folder, SESSION_LOCK)) }
  } finally {
    await door?.release()
  }
}

/** Removes a session's folder and its lock. */
async function leave(root: string, folder: string, own: Lock | undefined): Promise<void> {
  try {
    await flushFreshTrees(folder)
    // Under the same lock: nobody must take a half-removed folder for one of an ended session.
    const exit = await lockFile(join(root, 'locks', 'sessions'))
    try {
      await removeTree(folder)
    } finally {
      await exit?.release()
    }
  } finally {
    await own?.release()
  }
}

/** Removes what killed engines left in the store below `root`, and nothing of running ones. */
export async function sweep(root: string): Promise<void> {
  for (const entry of await readdir(join(root, 'work'), { withFileTypes: true })) {
    const path = join(root, 'work', entry.name)
    if (entry.isDirectory()) await sweepFolder(root, path)
    else await rm(path, { force: true }) // sessions have folders
  }
}

async function sweepFolder(root: string, folder: string): Promise<void> {
  const left = await lockFile(join(folder, SESSION_LOCK), { tryOnly: true })
  if (left === undefined) return
  try {
    await removeTornTrees(root, folder)
    await flushFreshTrees(folder) // else a power cut could still tear those that a kill left whole
    // The last process of a killed engine may still be ending: then the next session removes the
    // rest.
    await removeTree(folder).catch(() => undefined)
  } finally {
    await left.release()
  }
}
