import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { asDigest, type Digest } from '../base/digest.ts'
import { errorCode } from '../base/files.ts'
import type { HostView } from '../sandbox/host-view.ts'

/**
 * What lies in the folders of a view, in an order that depends on names only. There may be 100,000
 * entries: an object for each would cost more than asking the system.
 */
export interface HostFiles {
  /** Relative to the host's root; bytes as latin1 text, since names need not be UTF-8. */
  readonly paths: readonly string[]
  /** For each path mode, device, inode, size, and times of content and inode in milliseconds. */
  readonly stats: readonly number[]
}

/** Numbers in `stats` for each path, and which one is the time of the inode (ctime). */
const [COLUMNS, CHANGED] = [6, 5] as const

/** What Python makes of its files by itself: the same file gives other bytes on another machine. */
const COMPILED = '__pycache__'

/** Lists all that the sandbox shows. */
export function filesOf({ folders, hidden }: HostView, root: string): HostFiles {
  const paths: string[] = []
  const stats: number[] = []
  const left = new Set(hidden)
  const pending = [...folders].reverse()
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const from = systemPath(`${root}/${folder}`)
    // Removed meanwhile, or closed to this user and thereby to the steps.
    for (const name of (unlessRefused(() => readdirSync(from, 'latin1')) ?? []).sort()) {
      const path = `${folder}/${name}`
      if (name === COMPILED || left.has(path)) continue
      const stat = lstatSync(systemPath(`${root}/${path}`), { throwIfNoEntry: false })
      if (stat === undefined) continue
      paths.push(path)
      stats.push(stat.mode, stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs)
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
export function stateOf({ paths, stats }: HostFiles): Digest {
  const hash = createHash('sha256').update(paths.join('\0'), 'latin1').update('\0')
  return asDigest(hash.update(new Float64Array(stats)).digest('hex'))
}

/** When anything was changed the last time, milliseconds. */
export function lastChange({ paths, stats }: HostFiles): number {
  return paths.reduce((last, _, at) => Math.max(last, stats[at * COLUMNS + CHANGED] ?? 0), 0)
}

/** What the files hold, by their bytes: times, owners and numbers of inodes have no say. */
export function contentOf({ paths, stats }: HostFiles, root: string): Digest {
  const hash = createHash('sha256')
  // Of a hard link the bytes are read once.
  const read = new Map<string, string>()
  for (const [at, path] of paths.entries()) {
    const [mode = 0, device, inode, size, time] = stats.slice(at * COLUMNS, (at + 1) * COLUMNS)
    const file = `${String(device)}:${String(inode)}`
    // A program may be one to run but not to read.
    const content =
      read.get(file) ??
      describe(systemPath(`${root}/${path}`), mode) ??
      `closed ${String(size)} ${String(time)}`
    read.set(file, content)
    hash.update(`${path}\0${(mode & 0o7777).toString(8)} ${content}\0`, 'latin1')
  }
  return asDigest(hash.digest('hex'))
}

function describe(path: string | Buffer, mode: number): string | undefined {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFDIR:
      return 'folder'
    case constants.S_IFLNK:
      return unlessRefused(() => `link ${readlinkSync(path, 'latin1')}`)
    case constants.S_IFREG:
      return unlessRefused(() => `file ${digestOfOpened(path)}`)
    default:
      return 'other'
  }
}

/** Files are read in parts of this size. */
const part = Buffer.allocUnsafe(1 << 20)

function digestOfOpened(path: string | Buffer): Digest {
  const hash = createHash('sha256')
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    for (let size = readSync(fd, part); size > 0; size = readSync(fd, part))
      hash.update(part.subarray(0, size))
  } finally {
    closeSync(fd)
  }
  return asDigest(hash.digest('hex'))
}

function systemPath(path: string): string | Buffer {
  return /^[\0-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1')
}

/** Undefined for what was removed meanwhile, or may not be read. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM'].includes(errorCode(error) ?? ''))
      return undefined
    throw error
  }
}
