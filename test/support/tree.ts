import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of this checkout. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

/** What is made here and not kept. */
const MADE = ['.git', 'node_modules', 'dist', 'out', 'coverage']

/** A text file; `path` is relative to the checkout. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** All text files of the checkout below `folders`, or of all of it. */
export async function checkoutFiles(...folders: string[]): Promise<TextFile[]> {
  const starts = folders.length === 0 ? [''] : folders
  return (
    await Promise.all(starts.map((folder) => filesBelow(join(CHECKOUT, folder), MADE)))
  ).flat()
}

/**
 * All text files below a folder, without those in folders named in `leaveOut`; files that hold a
 * zero byte are no text.
 */
export async function filesBelow(
  folder: string,
  leaveOut: readonly string[] = [],
): Promise<TextFile[]> {
  const files: TextFile[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (leaveOut.includes(entry.name)) continue
    if (entry.isDirectory()) files.push(...(await filesBelow(path, leaveOut)))
    else if (entry.isFile()) {
      const text = await readFile(path, 'utf8')
      if (!text.includes('\0')) files.push({ path: relative(CHECKOUT, path), text })
    }
  }
  return files
}
