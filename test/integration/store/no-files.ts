import { execFileSync } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTree } from '../../../src/base/remove-tree.ts'

/** What may be in a file's place, and must neither be read nor waited for. */
export const NO_FILES: Readonly<Record<string, (path: string) => unknown>> = {
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdir(join(path, 'inside'), { recursive: true }),
  'a link to a file': (path) => symlink('/etc/hostname', path),
  'a link to nothing': (path) => symlink('/nowhere', path),
}

/** Puts what `make` makes in the place of a path. */
export async function replace(path: string, make: (path: string) => unknown): Promise<void> {
  await removeTree(path)
  await make(path)
}
