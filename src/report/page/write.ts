import { writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { makeFolder } from '../../base/files.ts'
import { putFile } from '../../base/put-file.ts'

/** Writes a page whole or not at all. Fails with `disk-full` or `host-refuses`. */
export async function writePage(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path))
  await putFile(dirname(path), basename(path), (part) => writeFile(part, text, { flag: 'wx' }))
}
