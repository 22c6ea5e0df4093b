import { closeSync, openSync, readSync } from 'node:fs'
import type { Loaded } from './load.ts'
import type { Faults } from './yaml/faults.ts'

/** The first bytes of ELF files and of static libraries, in Latin-1. */
const COMPILED = ['\x7fELF', '!<arch>\n']

/**
 * Notes `lint-compiled` for files of the checkout that a compiler made: a step that finds them may
 * take them, instead of making its own.
 */
export function lintTrees({ trees }: Loaded, findings: Faults): void {
  const paths = [...trees.values()].flatMap(({ files }) => files.map(({ path }) => path))
  for (const path of new Set(paths)) {
    const start = beginningOf(path)
    if (!COMPILED.some((mark) => start.startsWith(mark))) continue
    findings.add(
      'lint-compiled',
      'The file is a compiled program or library, and a source of a recipe',
      { file: path },
      'Remove it: make does not build a file that exists',
    )
  }
}

function beginningOf(path: string): string {
  const bytes = Buffer.alloc(8)
  const file = openSync(path, 'r')
  try {
    return bytes.toString('latin1', 0, readSync(file, bytes))
  } finally {
    closeSync(file)
  }
}
