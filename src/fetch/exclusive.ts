import { constants } from 'node:fs'
import { lstat, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../base/files.ts'
import { takeLock } from '../store/local/lock.ts'
import { orUnwritable } from './hashed-file.ts'

/**
 * Runs `work` while no other engine does so for the same path: two that append to one partial file
 * would spoil it. The lock is `path.lock`; it is removed at the end, so a holder checks that the
 * file it locked is the one still there.
 */
export async function exclusively<T>(
  path: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const file = `${path}.lock`
  await orUnwritable(file, makeFolder(dirname(file)))
  for (;;) {
    await orUnwritable(file, makeLockFile(file))
    const before = await inode(file)
    const lock = await takeCancellably(file, signal)
    try {
      if (before === undefined || before !== (await inode(file))) continue
      try {
        return await work()
      } finally {
        await rm(file, { force: true })
      }
    } finally {
      await lock?.release()
    }
  }
}

/**
 * The signal ends the wait for the lock only: aborting later must not free it while files are still
 * open.
 */
async function takeCancellably(file: string, signal: AbortSignal): ReturnType<typeof takeLock> {
  signal.throwIfAborted()
  const wait = new AbortController()
  const cancel = (): void => {
    wait.abort()
  }
  signal.addEventListener('abort', cancel)
  try {
    return await takeLock(file, { signal: wait.signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/**
 * Makes the file where there is none. What is no regular file is none of an engine's: flock(1)
 * would follow it, or wait.
 */
async function makeLockFile(file: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  const handle = await open(file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is no regular file')
  } finally {
    await handle.close()
  }
}

async function inode(path: string): Promise<bigint | undefined> {
  try {
    return (await lstat(path, { bigint: true })).ino
  } catch {
    return undefined
  }
}
