import { lstatSync } from 'node:fs'
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readText } from '../base/beneath.ts'
import { FixpointError } from '../base/error.ts'
import { commitFile, errorCode, exists, isFolder, makeFolder, removeTree } from '../base/files.ts'
import { systemReason } from '../base/system-error.ts'

/**
 * Version of the store's layout on disk; a store of another version is refused, never converted
 * behind one's back.
 */
const LAYOUT = 'fixpoint store 1\n'

/** Folders of a store. */
const FOLDERS = [
  'blobs',
  'trees',
  'index',
  'logs',
  'locks',
  'partial',
  'work',
  'kept',
  'damaged',
] as const

/**
 * Makes sure that there is a store below `root`, makes it when nothing is there. Fails with
 * `store-layout` for a folder that is something else.
 */
export async function layOutStore(root: string): Promise<void> {
  const marker = join(root, 'LAYOUT')
  const found = readMarker(marker)
  if (found !== undefined && found !== LAYOUT) {
    throw new FixpointError(
      'hostUnfit',
      'store-layout',
      `Cannot use store "${root}": its layout is "${found.trim()}", wanted "${LAYOUT.trim()}"`,
      {
        hint: 'Name another folder with --store, or remove this one',
      },
    )
  }
  if (found === undefined) await markStore(root, marker)
  await keepFromOthers(root)
  for (const folder of FOLDERS) await layOutFolder(join(root, folder))
}

/** Moves `from` to `to` in a store; see {@link commitFile}. A folder in its place gives way. */
export async function commitToStore(from: string, to: string): Promise<void> {
  if (lstatSync(to, { throwIfNoEntry: false })?.isDirectory() === true) await removeTree(to)
  await commitFile(from, to)
}

async function layOutFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST' && (await isFolder(path))) return
    throw code === 'EEXIST' ? unreadable(path, 'it is no folder') : error
  }
}

/**
 * The error of something in the store that is there and cannot be read, since it is of another kind
 * or another user's.
 */
export function unreadable(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError(
    'hostUnfit',
    'store-unreadable',
    `Cannot read "${path}" in the store: ${reason}`,
    {
      hint: 'Remove what is there, or name another store with --store',
      cause,
    },
  )
}

/** Like {@link unreadable}, for a file that could not be opened or read. */
export function unreadableFile(path: string, cause: unknown): FixpointError {
  const reason = cause instanceof FixpointError ? NO_FILE : (systemReason(cause) ?? String(cause))
  return unreadable(path, reason, cause)
}

/** What is wrong with a folder, link, pipe or device in the place of a file. */
export const NO_FILE = 'it is no regular file'

function readMarker(marker: string): string | undefined {
  try {
    return readText(marker)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw unreadableFile(marker, error)
  }
}

/**
 * Makes a folder that is nothing yet a store. Whole or not at all, and before anything else is put
 * there.
 */
async function markStore(root: string, marker: string): Promise<void> {
  await makeFolder(root, 0o700)
  const others = (await readdir(root)).filter(
    (name) => name !== 'lost+found' && !name.startsWith('LAYOUT'),
  )
  // Another engine's, made meanwhile, has its marker first.
  if (others.length > 0 && !(await exists(marker))) {
    throw new FixpointError(
      'hostUnfit',
      'store-layout',
      `Cannot use "${root}" as a store: it holds other things, such as "${String(others[0])}"`,
      {
        hint: 'Name an empty folder with --store',
      },
    )
  }
  const fresh = `${marker}.${String(process.pid)}`
  await writeFile(fresh, LAYOUT)
  await commitFile(fresh, marker)
}

/**
 * Lets only its owner into the store. A recipe may install a program that is setuid, which an image
 * may hold rightly; unpacked here, or being built, it is the owner's, root's perhaps, and whoever
 * gets to it runs it as such. A store of someone else's is theirs to open up or close: root, who
 * reads the store of a second build, would not be hindered, but ought not to change it either.
 */
async function keepFromOthers(root: string): Promise<void> {
  const { uid, mode } = await stat(root)
  if (uid === process.getuid?.() && (mode & 0o077) !== 0) await chmod(root, mode & 0o7700)
}
