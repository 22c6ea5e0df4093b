import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

/** These scripts run compiled, beside the engine. */
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

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

/** Runs the engine in the caller's folder, with these variables besides the caller's. */
export async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const { exitCode, all } = await execa(process.execPath, [MAIN, ...words], {
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
