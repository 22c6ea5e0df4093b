import { closeSync, fsyncSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Folder } from './beneath.ts'
import { FixpointError } from './error.ts'
import { syncPath } from './files.ts'
import { partName } from './part-name.ts'

/**
 * Lets `write` make the file `name` of a folder that others may write to. It comes whole or not at
 * all: `write` makes `part` beside it, which is flushed and renamed, or removed on failure. Where
 * `part` is named, it is the engine's own: what a killed run left there is removed. A link of
 * either name is replaced, not followed. Fails with `output-in-the-way` where a device, pipe or
 * socket is, and rejects as `write` and the system do.
 */
export async function replaceFile(
  folder: Folder,
  name: string,
  write: (path: string) => Promise<void>,
  part = partName(),
): Promise<void> {
  const path = folder.at(part)
  requireReplaceable(folder, name)
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

/** A device that is gone is missed by all of the machine. */
function requireReplaceable(folder: Folder, name: string): void {
  const found = folder.stat(name)
  if (found === undefined || found.isFile() || found.isSymbolicLink() || found.isDirectory()) return
  throw new FixpointError(
    'output-in-the-way',
    `Cannot write "${folder.shown}/${name}": a device, pipe or socket is there`,
  )
}

function flush(folder: Folder, name: string): void {
  const fd = folder.read(name)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
