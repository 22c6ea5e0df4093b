import { realpath, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Folder } from '../base/beneath.ts'
import { explainDiskFull } from '../base/files.ts'
import { replaceFile } from '../base/replace-file.ts'
import { forbidden } from '../base/system-error.ts'

/**
 * Gives a file of the user's layers another text, whole or not at all. A link to it stays. Fails
 * with `host-refuses` where this user may not write to its folder, and with `disk-full`.
 */
export async function putText(path: string, text: string): Promise<void> {
  const file = await realpath(path)
  const folder = Folder.open(dirname(file))
  try {
    await replaceFile(folder, basename(file), (part) => writeFile(part, text, { flag: 'wx' }))
  } catch (error) {
    throw forbidden('write', file, error) ?? explainDiskFull(error, dirname(file))
  } finally {
    folder.close()
  }
}
