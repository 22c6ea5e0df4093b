import { execFileSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'

/** A new empty folder that goes away with the test that asked for it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
  onTestFinished(() => removeTree(folder))
  return folder
}

/** A new fifo at `path`, which it returns. */
export function makeFifo(path: string): string {
  execFileSync('mkfifo', [path])
  return path
}
