import { createHash } from 'node:crypto'
import { lstatSync, readdirSync } from 'node:fs'
import { asDigest, type Digest } from './digest.ts'
import { errorCode } from './files.ts'

/**
 * Files and folders as the system describes them, in an order that depends on names only. There may
 * be 100,000: an object for each would cost more than asking the system.
 */
export interface FileStates {
  /** Relative to a root; bytes as latin1 text, since names need not be UTF-8. */
  readonly paths: readonly string[]
  /** For each path mode, device, inode, size, and times of content and inode in milliseconds. */
  readonly stats: readonly number[]
}

/** Numbers in `stats` for each path, and which one is the time of the inode (ctime). */
export const COLUMNS = 6
const CHANGED = 5

/**
 * Describes all that lies at and below `tops`, latin1 paths that are relative to `root`. A top that
 * is a folder is not described itself. What `isLeftOut` names is neither described nor entered.
 * Links are not followed. What is missing, or closed to this user, is passed over.
 */
export function fileStates(
  tops: readonly string[],
  root: string,
  isLeftOut: (path: string, name: string) => boolean = () => false,
): FileStates {
  const paths: string[] = []
  const stats: number[] = []
  const statOf = (path: string) =>
    unlessRefused(() => lstatSync(systemPath(`${root}/${path}`), { throwIfNoEntry: false }))
  const add = (path: string, stat: NonNullable<ReturnType<typeof statOf>>) => {
    paths.push(path)
    stats.push(stat.mode, stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs)
  }
  const pending: string[] = []
  for (const top of tops) {
    const stat = statOf(top)
    if (stat?.isDirectory() === true) pending.unshift(top)
    else if (stat !== undefined) add(top, stat)
  }
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const from = systemPath(`${root}/${folder}`)
    for (const name of (unlessRefused(() => readdirSync(from, 'latin1')) ?? []).sort()) {
      const path = `${folder}/${name}`
      const stat = isLeftOut(path, name) ? undefined : statOf(path)
      if (stat === undefined) continue
      add(path, stat)
      if (stat.isDirectory()) pending.push(path)
    }
  }
  return { paths, stats }
}

/**
 * Changes whenever a file may have changed, and costs no reading: as git's index does, it goes by
 * device, inode, size and times. Of these a file's owner can set all but the last one (ctime),
 * which every change moves on.
 */
export function stateOf({ paths, stats }: FileStates): Digest {
  const hash = createHash('sha256').update(paths.join('\0'), 'latin1').update('\0')
  return asDigest(hash.update(new Float64Array(stats)).digest('hex'))
}

/** When anything was changed the last time, milliseconds since 1970. */
export function lastChange({ paths, stats }: FileStates): number {
  return paths.reduce((last, _, at) => Math.max(last, stats[at * COLUMNS + CHANGED] ?? 0), 0)
}

/** A latin1 path for the system. */
export function systemPath(path: string): string | Buffer {
  return /^[\0-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1')
}

/** Undefined for what was removed meanwhile, or may not be read. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM'].includes(errorCode(error) ?? ''))
      return undefined
    throw error
  }
}
