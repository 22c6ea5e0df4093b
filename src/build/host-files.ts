import { createHash } from 'node:crypto'
import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs'
import { asDigest, type Digest } from '../base/digest.ts'
import {
  COLUMNS,
  fileStates,
  systemPath,
  unlessRefused,
  type FileStates,
} from '../base/file-states.ts'
import type { HostView } from '../sandbox/host-view.ts'

/** What Python makes of its files by itself: the same file gives other bytes on another machine. */
const COMPILED = '__pycache__'

/** Lists all that the sandbox shows. */
export function filesOf({ folders, hidden }: HostView, root: string): FileStates {
  const left = new Set(hidden)
  return fileStates(folders, root, (path, name) => name === COMPILED || left.has(path))
}

/** What the files hold, by their bytes: times, owners and numbers of inodes have no say. */
export function contentOf({ paths, stats }: FileStates, root: string): Digest {
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
