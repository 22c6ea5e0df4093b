import type { Writable } from 'node:stream'
import { isOpenAs, putOutput } from '../base/put-output.ts'

/**
 * Writes a text to the path that a user names; see {@link putOutput}. `-` is standard output, as
 * everywhere. What is standard output or standard error already, as `/dev/stdout` is, gets it in
 * its turn. True when that is standard output, which then holds nothing else.
 */
export async function writeOutput(
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (path === '-' || (await isOpenAs(path, 1))) {
    await write(process.stdout, text)
    return true
  }
  if (await isOpenAs(path, 2)) await write(process.stderr, text)
  else await putOutput(path, text, signal)
  return false
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}
