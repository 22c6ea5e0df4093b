import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { commitFile } from '../../base/commit-file.ts'
import { errorCode, exists, isFolder, makeFolder } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'

/** Version of the layout on disk. A store of another version is refused, never converted. */
const LAYOUT = 'fixpoint store 1\n'

/** The file that says it. */
const MARKER = 'LAYOUT'

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
 * Makes sure that a store is below `root`, and makes it when nothing is there. Fails with
 * `store-layout` for a folder that is something else.
 */
export async function layOutStore(root: string): Promise<void> {
  const marker = join(root, MARKER)
  const found = readMarker(marker)
  if (found !== undefined && found !== LAYOUT) {
    throw new FixpointError(
      'store-layout',
      `Cannot use store "${root}": its layout is "${found.trim()}", wanted "${LAYOUT.trim()}"`,
    )
  }
  if (found === undefined) await markStore(root, marker)
  await keepFromOthers(root)
  for (const folder of FOLDERS) await layOutFolder(join(root, folder))
}

/** Whether a store, of whatever layout, is below `root`. */
export function isStore(root: string): boolean {
  return existsSync(join(root, MARKER))
}

/** Where the store below `root` keeps a blob. */
export function blobPath(root: string, digest: Digest): string {
  return join(root, 'blobs', digest.slice(0, 2), digest)
}

/** Where it keeps the unpacked artifact. */
export function treePath(root: string, digest: Digest): string {
  return join(root, 'trees', digest)
}

/** Where it keeps the listing of an artifact. */
export function listingPath(root: string, digest: Digest): string {
  return `${treePath(root, digest)}.json`
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

/** The error of a path in the store that cannot be read: no file, or another user's. */
export function unreadable(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('store-unreadable', `Cannot read "${path}" in the store: ${reason}`, {
    cause,
  })
}

/** Like {@link unreadable}, for a file that did not open. */
export function unreadableFile(path: string, cause: unknown): FixpointError {
  const reason = cause instanceof FixpointError ? NO_FILE : (systemReason(cause) ?? String(cause))
  return unreadable(path, reason, cause)
}

/** What is wrong with a folder, link, pipe or device in the place of a file. */
export const NO_FILE = 'it is no regular file'

function readMarker(marker: string): string | undefined {
  try {
    return readIfThere(marker)
  } catch (error) {
    throw unreadableFile(marker, error)
  }
}

/** Writes the marker, whole or not at all, before anything else is in the store. */
async function markStore(root: string, marker: string): Promise<void> {
  await makeFolder(root, 0o700)
  const others = (await readdir(root)).filter(
    (name) => name !== 'lost+found' && !name.startsWith(MARKER),
  )
  // Another engine may make the store now: it writes the marker first.
  if (others.length > 0 && !(await exists(marker))) {
    throw new FixpointError(
      'store-occupied',
      `Cannot use "${root}" as a store: it holds other things, such as "${String(others[0])}"`,
    )
  }
  const fresh = `${marker}.${process.pid}`
  await writeFile(fresh, LAYOUT)
  await commitFile(fresh, marker)
}

/**
 * Lets only the owner into the store. A recipe may install a setuid program, and the unpacked file
 * belongs to the owner, perhaps root: anyone who got to it would run it as that user. Leaves
 * another user's store alone, even when we are root and could change it.
 */
async function keepFromOthers(root: string): Promise<void> {
  const { uid, mode } = await stat(root)
  if (uid === process.getuid?.() && (mode & 0o077) !== 0) await chmod(root, mode & 0o7700)
}
