import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  type Dirent,
  type Stats,
} from 'node:fs'
import { FixpointError } from './error.ts'
import { errorCode } from './files.ts'

/** O_PATH of Linux on x86-64, which Node does not name: a folder that is held, not read. */
const O_PATH = 0o10000000

/** Never through a link at the end, never waiting for the other end of a pipe. */
const GUARDED = constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * A folder that is held open. Everything below it is reached one component at a time and never
 * through a symbolic link, so nobody who can change what is there (a process of a step, an
 * artifact, an archive) can lead us elsewhere. All calls are synchronous, since packing makes
 * several per file and Node's promises cost more than the calls. See openat(2) and O_NOFOLLOW;
 * `/proc/self/fd` stands for openat, which Node does not have.
 */
export class Folder {
  /** Path as messages show it. */
  readonly shown: string
  readonly #fd: number

  private constructor(fd: number, shown: string) {
    this.#fd = fd
    this.shown = shown
  }

  /**
   * Opens a folder by a path that is ours or the user's: links in it are followed. Throws the
   * system's error.
   */
  static open(path: string): Folder {
    return new Folder(openSync(path, O_PATH | constants.O_DIRECTORY), path)
  }

  /** Calls `use` with the folder at a path that is ours or the user's, and closes it afterwards. */
  static with<T>(path: string, use: (folder: Folder) => T): T {
    const folder = Folder.open(path)
    try {
      return use(folder)
    } finally {
      folder.close()
    }
  }

  /** Opens a folder in this one. Throws `unsafe-path` when it is a link or no folder. */
  folder(name: string): Folder {
    const shown = `${this.shown}/${name}`
    try {
      return new Folder(
        openSync(this.at(name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW),
        shown,
      )
    } catch (error) {
      throw isTurnedAway(error) ? unsafe(shown, 'is no folder, or a link', error) : error
    }
  }

  /**
   * A path for the entry `name`, for calls that do not follow a link at its end: lstat, readlink,
   * mkdir, symlink, link, rename, unlink, lutimes. Valid until {@link close}.
   */
  at(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
      throw unsafe(`${this.shown}/${name}`, 'is not the name of one entry')
    return `/proc/self/fd/${this.#fd}/${name}`
  }

  /** What is known of the entry `name`, itself; undefined when there is none. */
  stat(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false })
  }

  /**
   * Opens a regular file for reading; the caller closes it. Throws `unsafe-path` for a link, pipe,
   * device or folder.
   */
  read(name: string): number {
    return this.openFile(name).fd
  }

  /** Like {@link read}, and what is known of the file. */
  openFile(name: string): OpenFile {
    const shown = `${this.shown}/${name}`
    return openGuarded(this.at(name), false, (reason, cause) => unsafe(shown, reason, cause))
  }

  /**
   * Makes a new file and opens it for writing; the caller closes it. Throws EEXIST when something
   * has that name.
   */
  create(name: string, mode: number): number {
    return openSync(
      this.at(name),
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | GUARDED,
      mode,
    )
  }

  /** Names of all entries as bytes, in no order. Throws EACCES when the folder may not be read. */
  names(): Buffer[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, { encoding: 'buffer' })
  }

  /**
   * All entries with their types, their names as bytes, in no order. Throws EACCES when the folder
   * may not be read.
   */
  entries(): Dirent<Buffer>[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, { encoding: 'buffer', withFileTypes: true })
  }

  /**
   * Path of the folder itself, for calls that are meant to reach it: chmod, utimes. Valid until
   * {@link close}.
   */
  get self(): string {
    return `/proc/self/fd/${this.#fd}/.`
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/**
 * Reaches one path after the other below a root, as {@link beneath} does. The folders of the last
 * path stay open, so a sorted list of paths opens each folder about once.
 */
export class Descent {
  readonly #open: { readonly path: string; readonly folder: Folder }[]

  /** Takes `root` over: {@link close} closes it. */
  constructor(root: Folder) {
    this.#open = [{ path: '', folder: root }]
  }

  /**
   * The folder that holds the last component of `path`, valid until the next call, and that
   * component.
   */
  reach(path: string): { readonly folder: Folder; readonly name: string } {
    const end = path.lastIndexOf('/')
    if (end === 0) throw unsafe(path, 'is no relative path')
    return { folder: this.#enter(path.slice(0, Math.max(0, end))), name: path.slice(end + 1) }
  }

  close(): void {
    for (const { folder } of this.#open) folder.close()
    this.#open.length = 0
  }

  #enter(path: string): Folder {
    for (;;) {
      const last = this.#open.at(-1)
      if (last === undefined) throw new TypeError('The root is closed')
      if (last.path === path) return last.folder
      if (last.path === '' || path.startsWith(`${last.path}/`)) {
        const begin = last.path === '' ? 0 : last.path.length + 1
        const end = path.indexOf('/', begin)
        const next = end === -1 ? path : path.slice(0, end)
        this.#open.push({ path: next, folder: last.folder.folder(next.slice(begin)) })
      } else {
        this.#open.pop()?.folder.close()
      }
    }
  }
}

/** A regular file that is open for reading, and what was known of it then. Its user closes it. */
export interface OpenFile {
  readonly fd: number
  readonly stat: Stats
}

/**
 * Opens a regular file by a path that is ours, as all in a store are: no link at its end is
 * followed. Throws `not-a-file` for a link, pipe, device or folder, and otherwise the system's
 * error.
 */
export function openFile(path: string): OpenFile {
  return openGuarded(path, false, (reason, cause) => notAFile(path, reason, cause))
}

/**
 * Like {@link openFile}, but by a path that a user names: links are followed, and it may be a disk.
 */
export function openNamedFile(path: string): OpenFile {
  return openGuarded(path, true, (reason, cause) => notAFile(path, reason, cause))
}

/** Text of a file; see {@link openFile}. */
export function readText(path: string): string {
  const { fd } = openFile(path)
  try {
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** Like {@link readText}; undefined when nothing is at `path`. */
export function readIfThere(path: string): string | undefined {
  try {
    return readText(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function openGuarded(
  path: string,
  named: boolean,
  refuse: (reason: string, cause?: unknown) => Error,
): OpenFile {
  let fd: number
  try {
    fd = openSync(
      path,
      constants.O_RDONLY | constants.O_NONBLOCK | (named ? 0 : constants.O_NOFOLLOW),
    )
  } catch (error) {
    throw ['ELOOP', 'ENXIO', 'EISDIR'].includes(errorCode(error) ?? '')
      ? refuse('is a link, pipe or device', error)
      : error
  }
  const stat = fstatSync(fd)
  if (stat.isFile() || (named && stat.isBlockDevice())) return { fd, stat }
  closeSync(fd)
  throw refuse('is no regular file')
}

/**
 * Calls `use` with the folder that holds the last component of `path`, which is relative to `root`,
 * and with that component. No link below `root` is followed. Throws `unsafe-path`, or what `use`
 * throws.
 */
export function beneath<T>(
  root: string,
  path: string,
  use: (folder: Folder, name: string) => T,
): T {
  const parts = path.split('/')
  const last = parts.pop() ?? ''
  let folder = Folder.open(root)
  try {
    for (const part of parts) {
      const next = folder.folder(part)
      folder.close()
      folder = next
    }
    return use(folder, last)
  } finally {
    folder.close()
  }
}

/** The codes that O_NOFOLLOW, O_DIRECTORY and O_NONBLOCK turn something away with. */
function isTurnedAway(error: unknown): boolean {
  return ['ELOOP', 'ENOTDIR', 'ENXIO', 'EISDIR'].includes(errorCode(error) ?? '')
}

function notAFile(path: string, reason: string, cause: unknown): FixpointError {
  return new FixpointError('not-a-file', `Cannot read "${path}": it ${reason}`, {
    cause,
  })
}

function unsafe(shown: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('unsafe-path', `Cannot use "${shown}": it ${reason}`, {
    cause,
  })
}
