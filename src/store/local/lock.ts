import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { NO_FILE, unreadable } from './layout.ts'

/** A held lock. */
export interface Lock {
  release(): Promise<void>
}

/** How a lock is taken. */
export interface LockOptions {
  /** Several holders may share it. */
  readonly shared?: boolean
  /** Give up at once when another holds it. */
  readonly tryOnly?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Takes the lock on the file `path`, which it makes when nothing is there. Fails with
 * `store-unreadable` for what is no file, or like {@link takeLock}.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<Lock | undefined> {
  if (!isFile(path)) throw unreadable(path, NO_FILE)
  return takeLock(path, options)
}

/** Makes the file when nothing is there. Follows no link, and waits for no pipe's other end. */
function isFile(path: string): boolean {
  try {
    const fd = openSync(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    const stat = fstatSync(fd)
    closeSync(fd)
    return stat.isFile()
  } catch (error) {
    if (['ELOOP', 'EISDIR'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}

/** Prints one byte once it has the lock, then lives until its input ends. */
const HOLD = 'printf .; exec cat'

/**
 * Takes the kernel's lock (flock(2)) on `path`, a file that exists. Node cannot call flock, so a
 * child holds the lock. Its input is a pipe of ours, which closes when the engine ends, even by
 * SIGKILL: then the child ends and the kernel frees the lock. Resolves to undefined when `tryOnly`
 * is set and another holds it.
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<Lock | undefined> {
  const args = [
    options.shared ? '-s' : '-x',
    ...(options.tryOnly ? ['-n'] : []),
    path,
    'sh',
    '-c',
    HOLD,
  ]
  options.signal?.throwIfAborted()
  // Detached, since Ctrl-C reaches all of the terminal's processes: the engine cleans up first.
  const child = spawn('flock', args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const giveUp = (): void => {
    child.kill()
  }
  options.signal?.addEventListener('abort', giveUp, { once: true })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  ended.catch(() => undefined)
  const started = once(child.stdout, 'data').then(() => 'held' as const)
  started.catch(() => undefined)
  const outcome = await Promise.race([started, ended]).finally(() =>
    options.signal?.removeEventListener('abort', giveUp),
  )
  if (outcome === 'held') {
    return {
      release: async () => {
        child.stdin.end()
        await ended
      },
    }
  }
  options.signal?.throwIfAborted()
  if (options.tryOnly && outcome === 1) return undefined
  throw new FixpointError(
    'lock-failed',
    `Cannot lock "${path}": flock ended with status ${outcome}`,
  )
}
