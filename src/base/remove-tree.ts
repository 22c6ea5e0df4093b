import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import { Folder } from './beneath.ts'
import { FixpointError } from './error.ts'
import { exists } from './files.ts'

const run = promisify(execFile)

/** Entries that Node removes at the price of starting rm(1). */
const FEW = 200

/**
 * Removes a tree, also one with folders that lack the write permission, whatever their names and
 * however deep. Removes a small one itself, since starting a process costs more. Leaves a large one
 * to rm(1): the tree of a build may have 100,000 files, for which Node takes seven times the
 * processor time. Fails with `host-refuses`.
 */
export async function removeTree(path: string): Promise<void> {
  if (!(await exists(path)) || removeFew(path)) return
  try {
    await run('rm', ['-rf', '--', path])
  } catch {
    if (!(await exists(path))) return
    attempt(() => Folder.with(dirname(path), (parent) => openUp(parent, basename(path))))
    await run('rm', ['-rf', '--', path]).catch((error: unknown) => {
      throw refused(path, error)
    })
  }
}

/** With the last line of what rm said. */
function refused(path: string, cause: unknown): FixpointError {
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
  const reason = said.split('\n').at(-1) ?? ''
  return new FixpointError(
    'host-refuses',
    `Cannot remove "${path}": ${reason === '' ? String(cause) : reason}`,
    { cause },
  )
}

/** Removes a tree through no link. False when it has more than a few entries, or lets nobody. */
function removeFew(path: string): boolean {
  let left = FEW
  const removeIn = (folder: Folder): boolean => {
    for (const entry of readdirSync(folder.self, { withFileTypes: true })) {
      left -= 1
      if (left < 0) return false
      if (entry.isDirectory() && !removeInside(folder, entry.name)) return false
      remove(folder, entry.name, entry.isDirectory())
    }
    return true
  }
  const removeInside = (folder: Folder, name: string): boolean => {
    const inner = folder.folder(name)
    try {
      return removeIn(inner)
    } finally {
      inner.close()
    }
  }
  try {
    return Folder.with(dirname(path), (folder) => {
      const name = basename(path)
      const isFolder = folder.stat(name)?.isDirectory() === true
      if (isFolder && !removeInside(folder, name)) return false
      remove(folder, name, isFolder)
      return true
    })
  } catch {
    return false
  }
}

function remove(folder: Folder, name: string, isFolder: boolean): void {
  if (isFolder) rmdirSync(folder.at(name))
  else unlinkSync(folder.at(name))
}

/**
 * Makes all folders of the tree `name` writable, and moves each into a new one in the outermost:
 * then none is too deep for rm, and every one has a name that we can write.
 */
function openUp(parent: Folder, name: string): void {
  chmodSync(parent.at(name), 0o700)
  const tree = parent.folder(name)
  const nest = basename(mkdtempSync(`${tree.self}/open-`))
  const all = tree.folder(nest)
  let count = 0
  const takeFoldersOf = (folder: Folder): void => {
    for (const entry of folder.entries().filter((one) => one.isDirectory())) {
      if (folder === tree && entry.name.toString() === nest) continue
      // Its name may be no text.
      const path = Buffer.concat([Buffer.from(`${folder.self}/`), entry.name])
      chmodSync(path, 0o700)
      renameSync(path, all.at(String(count++)))
    }
  }
  try {
    takeFoldersOf(tree)
    for (let at = 0; at < count; at++) {
      const folder = all.folder(String(at))
      try {
        takeFoldersOf(folder)
      } finally {
        folder.close()
      }
    }
  } finally {
    all.close()
    tree.close()
  }
}

/** What is in the way, rm says. */
function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // Nothing more can be done.
  }
}
