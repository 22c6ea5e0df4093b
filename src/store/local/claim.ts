import { linkSync, lstatSync, rmSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from '../../base/files.ts'
import { lockFile, type Lock } from './lock.ts'

/**
 * Claims `path` for a session: makes it a hard link of `sessionLock`, the file that the session
 * keeps locked as long as it lives. So a claim takes no process, and shows whether its owner lives.
 * Waits while another has it. Takes away the claim of a session that has ended. Fails with
 * `store-unreadable` for what is no file, and when `signal` aborts.
 */
export async function claim(
  path: string,
  sessionLock: string,
  signal?: AbortSignal,
): Promise<Lock> {
  signal?.throwIfAborted()
  while (!isClaimed(path, sessionLock)) await untilReleased(path, signal)
  return {
    release: () => {
      rmSync(path, { force: true })
      return Promise.resolve()
    },
  }
}

/** False when another has it. */
function isClaimed(path: string, sessionLock: string): boolean {
  try {
    linkSync(sessionLock, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Resolves when the claim is gone, or was removed because its session has ended. */
async function untilReleased(path: string, signal: AbortSignal | undefined): Promise<void> {
  const stop = new AbortController()
  const watcher = watch(dirname(path))
  try {
    const gone = new Promise<void>((resolve, reject) => {
      watcher.on('change', () => {
        if (inodeOf(path) === undefined) resolve()
      })
      watcher.on('error', reject)
    })
    if (inodeOf(path) === undefined) return // before the watch began
    const ended = removeWhenEnded(
      path,
      AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]),
    )
    ended.catch(() => undefined) // when it is no longer waited for
    await Promise.race([gone, ended])
  } finally {
    stop.abort()
    watcher.close()
  }
}

/** Waits for the end of the claim's session, and removes the claim if it is still the same. */
async function removeWhenEnded(path: string, signal: AbortSignal): Promise<void> {
  const before = inodeOf(path)
  const lock = await lockFile(path, { signal })
  try {
    if (before !== undefined && inodeOf(path) === before) rmSync(path)
  } finally {
    await lock?.release()
  }
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}
