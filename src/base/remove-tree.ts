import { execFile } from 'node:child_process'
import { readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { chmod, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Folder } from './beneath.ts'
import { exists } from './files.ts'

const run = promisify(execFile)

/** Entries that Node removes at the price of starting rm(1). */
const FEW = 200

/**
 * Removes a tree, also one with folders that lack the write permission. Removes a small one itself,
 * since starting a process costs more. Leaves a large one to rm(1): the tree of a build may have
 * 100,000 files, for which Node takes seven times the processor time.
 */
export async function removeTree(path: string): Promise<void> {
  if (!(await exists(path)) || removeFew(path)) return
  try {
    await run('rm', ['-rf', '--', path])
  } catch {
    if (!(await exists(path))) return
    await makeFoldersWritable(path).catch(() => undefined) // rm says what is in the way
    await run('rm', ['-rf', '--', path])
  }
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

async function makeFoldersWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeFoldersWritable(join(folder, entry.name))
  }
}
