import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeTree } from '../../src/base/remove-tree.ts'

// These programs run from dist/test/bench.
const DIST = fileURLToPath(new URL('../../', import.meta.url))

/** Words that start the compiled engine. */
export const FIXPOINT: readonly string[] = [process.execPath, join(DIST, 'src/cli/main.js')]

/** Words that start another program of this folder. */
export function program(name: string): readonly string[] {
  return [process.execPath, join(DIST, 'test/bench', `${name}.js`)]
}

/** Calls `use` with a new empty folder and removes that afterwards. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-bench-'))
  try {
    return await use(folder)
  } finally {
    await removeTree(folder)
  }
}
