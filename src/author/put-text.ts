import { realpath, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Folder } from '../base/beneath.ts'
import { replaceFile } from '../base/replace-file.ts'

/** Gives a file of the user's layers another text, whole or not at all. A link to it stays. */
export async function putText(path: string, text: string): Promise<void> {
  const file = await realpath(path)
  const folder = Folder.open(dirname(file))
  try {
    await replaceFile(folder, basename(file), (part) => writeFile(part, text, { flag: 'wx' }))
  } finally {
    folder.close()
  }
}
