import { constants, fstatSync, openSync, type Stats } from 'node:fs'
import { open, realpath, stat, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { FixpointError } from './error.ts'
import { errorCode, exists, explainDiskFull, makeFolder } from './files.ts'
import { putFile } from './put-file.ts'
import { explainSystemError } from './system-error.ts'

/** Without making a file, waiting for a reader, or taking a terminal. */
const TO_DEVICE = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * Fails with `output-is-input` when the file that is to be written is one of those that are read,
 * whatever its name. Inputs that are missing, or whose names no file can have, are passed over.
 */
export async function requireOtherFile(output: string, inputs: readonly string[]): Promise<void> {
  const found = await look(resolve(output))
  // What is written to a terminal or pipe does not take the place of what came from there.
  if (found === undefined || isStream(found)) return
  for (const input of inputs) {
    const other = await look(input, [...ABSENT, 'ENAMETOOLONG'])
    if (other !== undefined && isSame(found, other))
      throw new FixpointError(
        'output-is-input',
        `Cannot write "${output}": it is the same file as "${input}", which is an input`,
      )
  }
}

/** Whether a path leads to what this process has open as the descriptor `fd`. */
export async function isOpenAs(path: string, fd: number): Promise<boolean> {
  const found = await look(resolve(path))
  try {
    return found !== undefined && isSame(fstatSync(fd), found)
  } catch {
    return false // it is closed
  }
}

/**
 * Writes a text to the path that a user names. A file comes whole or not at all, also while others
 * write it: the last one wins. Folders above it are made. A link is followed, and stays: the file
 * that it leads to is replaced. A pipe, terminal or other character device is written to. Fails
 * with `output-in-the-way` for all else, such as a link that leads nowhere, and with `no-folder`,
 * `disk-full` or `host-refuses`. Rejects with the signal's reason, and writes no file then.
 */
export async function putOutput(path: string, text: string, signal: AbortSignal): Promise<void> {
  try {
    if (path.endsWith('/')) throw inTheWay(path, 'that is the name of a folder')
    await put(resolve(path), text, signal)
  } catch (error) {
    throw explainDiskFull(explainSystemError(error), path)
  }
}

async function put(path: string, text: string, signal: AbortSignal): Promise<void> {
  const found = await look(path)
  signal.throwIfAborted()
  if (found === undefined || found.isFile()) await putRegular(path, text, signal)
  else if (found.isFIFO()) await writeToPipe(path, text, signal)
  else if (found.isCharacterDevice()) await writeToDevice(path, text)
  else throw inTheWay(path, `it is a ${kindOf(found)}`)
}

async function putRegular(path: string, text: string, signal: AbortSignal): Promise<void> {
  const target = await targetOf(path)
  await makeFolder(dirname(target))
  await putFile(dirname(target), basename(target), async (part) => {
    await writeFile(part, text, { flag: 'wx' })
    // What was computed in one go may have kept it from being heard before.
    signal.throwIfAborted()
  })
}

/** Where a link leads. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    if (await exists(path)) throw inTheWay(path, 'it is a link that leads nowhere')
    return path
  }
}

async function writeToPipe(path: string, text: string, signal: AbortSignal): Promise<void> {
  try {
    // As a socket: a thread that waits for the reader would outlast Ctrl-C.
    const fd = openSync(path, TO_DEVICE)
    const pipe = new Socket({ fd, readable: false, writable: true, signal })
    pipe.end(text)
    await finished(pipe, { readable: false })
  } catch (error) {
    const isAlone = ['ENXIO', 'EPIPE'].includes(errorCode(error) ?? '')
    throw isAlone ? inTheWay(path, 'nobody reads from this pipe') : error
  }
}

async function writeToDevice(path: string, text: string): Promise<void> {
  const file = await open(path, TO_DEVICE)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/** System errors that say that nothing is at a path. */
const ABSENT = ['ENOENT', 'ENOTDIR']

/** What lies at a path, or where its link leads; undefined for nothing. */
async function look(path: string, absent = ABSENT): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (absent.includes(errorCode(error) ?? '')) return undefined
    throw explainSystemError(error)
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino
}

function isStream(found: Stats): boolean {
  return found.isFIFO() || found.isCharacterDevice() || found.isSocket()
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'folder'
  return found.isBlockDevice() ? 'disk' : 'socket'
}

function inTheWay(path: string, why: string): FixpointError {
  return new FixpointError('output-in-the-way', `Cannot write "${path}": ${why}`)
}
