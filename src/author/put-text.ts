import { writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Folder } from '../base/beneath.ts'
import { replaceFile } from '../base/replace-file.ts'

/** Gives a file of the user's layers another text, whole or not at all. */
export async function putText(file: string, text: string): Promise<void> {
  const folder = Folder.open(dirname(file))
  try {
    await replaceFile(folder, basename(file), (part) => writeFile(part, text, { flag: 'wx' }))
  } finally {
    folder.close()
  }
}
