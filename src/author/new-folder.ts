import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from '../base/files.ts'
import { makeWholeFolder, somethingThere } from '../base/whole-folder.ts'

/**
 * Makes a folder with files, by name, and with empty folders. Folders above it are made, too. It
 * comes whole or not at all. Fails with `new-there` when something is there, or comes to be there
 * meanwhile.
 */
export async function putNewFolder(
  target: string,
  files: Readonly<Record<string, string>>,
  folders: readonly string[] = [],
): Promise<void> {
  if (await exists(target)) throw somethingThere(target)
  await makeWholeFolder(target, async (part) => {
    for (const [name, text] of Object.entries(files))
      await writeFile(join(part, name), text, { flag: 'wx', flush: true })
    for (const name of folders) await mkdir(join(part, name))
  })
}
