import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeDefaultAcl } from '../base/default-acl.ts'
import { removeTree } from '../base/files.ts'
import { lockFile, type Lock } from './lock.ts'

/** A run of an engine that writes to a store. */
export interface Session {
  /**
   * Folder of its own for work and temporary files; removed at the end, or by the next session
   * after a crash.
   */
  readonly folder: string
  close(): Promise<void>
}

/** Folders of this process's open sessions, and the lock that they are removed behind. */
const openFolders = new Map<string, string>()

/**
 * Begins a session on the store below `root`: shares the store's lock, so that garbage collection
 * waits, sweeps what ended sessions left, and makes a folder that is locked as long as this process
 * lives.
 */
export async function openSession(root: string): Promise<Session> {
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
    // A lock's child keeps this process alive: it would not end, whatever it says.
    await store?.release()
    throw error
  }
}

/**
 * For a process that ends at once: lets others, which outlive it, remove the folders of its
 * sessions.
 */
export function abandonSessions(): void {
  for (const [folder, door] of openFolders)
    spawn('flock', [door, 'rm', '-rf', '--', folder], { stdio: 'ignore', detached: true }).unref()
}

/** Makes a session's folder and locks it. */
async function enter(root: string): Promise<{ folder: string; own: Lock | undefined }> {
  // One session at a time comes in: a folder whose lock is not yet taken would look like a left
  // one.
  const door = await lockFile(join(root, 'locks', 'sessions'))
  try {
    await sweep(join(root, 'work'))
    const folder = await mkdtemp(join(root, 'work', 'session-'))
    removeDefaultAcl(folder)
    await mkdir(join(folder, 'tmp'))
    return { folder, own: await lockFile(join(folder, 'lock')) }
  } finally {
    await door?.release()
  }
}

/** Removes a session's folder and its lock. */
async function leave(root: string, folder: string, own: Lock | undefined): Promise<void> {
  try {
    // Behind the door, so that nobody comes in and takes a half-removed folder for a left one.
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

async function sweep(work: string): Promise<void> {
  for (const entry of await readdir(work, { withFileTypes: true })) {
    const path = join(work, entry.name)
    if (entry.isDirectory()) await sweepFolder(path)
    else await rm(path, { force: true }) // no session's, which are folders
  }
}

async function sweepFolder(folder: string): Promise<void> {
  const left = await lockFile(join(folder, 'lock'), { tryOnly: true })
  if (left === undefined) return
  // What cannot be removed yet, since a killed engine's last process is still ending, is left to
  // the next session.
  await removeTree(folder).catch(() => undefined)
  await left.release()
}
