import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, type Stats } from 'node:fs'
import { FixpointError } from './error.ts'
import { errorCode } from './files.ts'

/** O_PATH of Linux on x86-64, which Node does not name: a folder that is held, not read. */
const O_PATH = 0o10000000

/** Never through a link at the end, never waiting for the other end of a pipe. */
const GUARDED = constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * A folder that is held open. Everything below it is reached one component at a time and never through a symbolic
 * link, so nobody who can change what is there (a process of a step, an artifact, an archive) can lead us elsewhere.
 * All calls are synchronous, since packing makes several per file and Node's promises cost more than the calls.
 * See openat(2) and O_NOFOLLOW; `/proc/self/fd` stands for openat, which Node does not have.
 */
export class Folder {
  /** Path as messages show it. */
  readonly shown: string
  readonly #fd: number

  private constructor(fd: number, shown: string) {
    this.#fd = fd
    this.shown = shown
  }

  /** Opens a folder by a path that is ours or the user's: links in it are followed. Throws the system's error. */
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
      return new Folder(openSync(this.at(name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW), shown)
    } catch (error) {
      throw isTurnedAway(error) ? unsafe(shown, 'is no folder, or a link', error) : error
    }
  }

  /**
   * A path for the entry `name`, for calls that do not follow a link at its end: lstat, readlink, mkdir, symlink,
   * link, rename, unlink, lutimes. Valid until {@link close}.
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

  /** Opens a regular file for reading; the caller closes it. Throws `unsafe-path` for a link, pipe, device or folder. */
  read(name: string): number {
    return this.#regular(name, constants.O_RDONLY | GUARDED)
  }

  /** Makes a new file and opens it for writing; the caller closes it. Throws EEXIST when something has that name. */
  create(name: string, mode: number): number {
    return openSync(this.at(name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | GUARDED, mode)
  }

  /** Names of all entries as bytes, in no order. Throws EACCES when the folder may not be read. */
  names(): Buffer[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, { encoding: 'buffer' })
  }

  /** Path of the folder itself, for calls that are meant to reach it: chmod, utimes. Valid until {@link close}. */
  get self(): string {
    return `/proc/self/fd/${this.#fd}/.`
  }

  close(): void {
    closeSync(this.#fd)
  }

  #regular(name: string, flags: number): number {
    const shown = `${this.shown}/${name}`
    let fd: number
    try {
      fd = openSync(this.at(name), flags)
    } catch (error) {
      throw isTurnedAway(error) ? unsafe(shown, 'is a link, pipe or device', error) : error
    }
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
    throw unsafe(shown, 'is no regular file')
  }
}

/**
 * Calls `use` with the folder that holds the last component of `path`, which is relative to `root`, and with that
 * component. No link below `root` is followed. Throws `unsafe-path`, or what `use` throws.
 */
export function beneath<T>(root: string, path: string, use: (folder: Folder, name: string) => T): T {
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

function unsafe(shown: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('buildFailed', 'unsafe-path', `Cannot use "${shown}": it ${reason}`, { cause })
}
