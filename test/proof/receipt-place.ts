import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { execa } from 'execa'
import { CHECKOUT } from '../support/tree.ts'

/** What receipts are compared with, and whose count. */
export interface Place {
  /** The image's record. */
  readonly record: string
  /** File of allowed signers. */
  readonly signers: string
}

/** How a command ended, and all that it printed. */
export interface Said {
  readonly status: number | undefined
  readonly text: string
}

/** Runs the compiled engine, with these variables besides the caller's. */
export async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const main = join(CHECKOUT, 'dist/src/cli/main.js')
  const { exitCode, all } = await execa(process.execPath, [main, ...words], {
    cwd: CHECKOUT,
    env,
    reject: false,
    all: true,
  })
  return { status: exitCode, text: all }
}

/** Runs `receipts`. */
export function readReceipts(
  { record, signers }: Place,
  paths: readonly string[],
  ...options: readonly string[]
): Promise<Said> {
  return run(['receipts', record, ...paths, '--signers', signers, ...options])
}

/** Makes a key without a passphrase, and its public half beside it; that half's text. */
export function makeKey(key: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
  return execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' }).trim()
}

/** Signs a file, beside it, in place of an older signature. */
export function signFile(key: string, file: string, namespace = 'fixpoint-receipt'): void {
  execFileSync('rm', ['-f', `${file}.sig`])
  execFileSync('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', key, file], { stdio: 'ignore' })
}
