import { closeSync, fsyncSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Folder } from './beneath.ts'
import { syncPath } from './files.ts'

/**
 * Lets `write` make the file `name` of a folder that others may write to. It comes whole or not at
 * all: `write` makes `part` beside it, which is flushed and renamed, or removed on failure. A link
 * of either name is replaced, not followed. Rejects as `write` and the system do.
 */
export async function replaceFile(
  folder: Folder,
  name: string,
  write: (path: string) => Promise<void>,
  part = `${name}.part`,
): Promise<void> {
  const path = folder.at(part)
  try {
    await rm(path, { force: true }) // of a killed run
    await write(path)
    flush(folder, part)
    await rename(path, folder.at(name))
    await syncPath(folder.self)
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined) // the first error says more
    throw error
  }
}

function flush(folder: Folder, name: string): void {
  const fd = folder.read(name)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
