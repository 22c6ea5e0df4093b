import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { exists, explainDiskFull, makeFolder, syncPath } from '../base/files.ts'
import { removeTree } from '../base/remove-tree.ts'

/**
 * Makes a folder with files, by name; folders above it are made, too. It comes whole or not at all.
 * Fails with `new-there` when something is there.
 */
export async function putNewFolder(
  target: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  if (await exists(target))
    throw new FixpointError('new-there', `Cannot make "${target}": something is there`)
  const part = join(dirname(target), `.${basename(target)}.part`)
  try {
    await makeFolder(dirname(target))
    await removeTree(part) // of a killed run
    await mkdir(part)
    for (const [name, text] of Object.entries(files))
      await writeFile(join(part, name), text, { flag: 'wx', flush: true })
    await rename(part, target)
    await syncPath(dirname(target))
  } catch (error) {
    await removeTree(part).catch(() => undefined) // the first error says more
    throw explainDiskFull(error, dirname(target))
  }
}
