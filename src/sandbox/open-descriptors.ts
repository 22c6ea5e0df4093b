import { readdirSync, readFileSync } from 'node:fs'

/**
 * Bit of a file's flags that closes it in programs the process starts (O_CLOEXEC of Linux on
 * x86-64).
 */
const CLOSE_ON_EXEC = 0o2000000

/**
 * Numbers of the files that whoever started the engine left open for it, beside standard input,
 * output and error. Node marks all that it opens itself to be closed in the programs it starts;
 * these would be handed on, and a folder among them is a way out of the sandbox.
 */
export function inheritedFiles(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isHandedOn(fd))
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(
      readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'utf8'),
    )?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
  } catch {
    return false // closed meanwhile, as is the one that read the folder
  }
}
