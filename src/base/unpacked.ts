import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { AR, arMember } from './ar.ts'
import { FixpointError } from './error.ts'

/** Programs that unpack what Node cannot, or not everywhere, by the first bytes of a file. */
const UNPACKERS: readonly [magic: string, command: string][] = [
  ['\x1f\x8b', 'gzip'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
]

/**
 * The bytes, through the program that the first of them ask for: gzip, bzip2, xz, or none. Of a
 * Debian package, the tarball with its files. Rejects
 * with `no-unpacker` where that is missing, and with what it complains of.
 */
export async function* unpacked(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = packed[Symbol.asyncIterator]()
  const first = await chunks.next()
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      for (let chunk = first; chunk.done !== true; chunk = await chunks.next()) yield chunk.value
    } finally {
      await chunks.return?.()
    }
  }
  const beginning = first.done === true ? '' : first.value.toString('latin1', 0, 8)
  if (beginning === AR) {
    yield* unpacked(arMember(whole(), 'data.tar'))
    return
  }
  const command = UNPACKERS.find(([magic]) => beginning.startsWith(magic))?.[1]
  if (command === undefined) yield* whole()
  else yield* through(command, whole())
}

/** Pipes the bytes through `COMMAND -dc`. */
async function* through(command: string, packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // What it complains of is told by the error, not by the way.
  const child = spawn(command, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(
        new FixpointError('no-unpacker', `Cannot run "${command}": ${cause.message}`, {
          cause,
        }),
      )
    })
    child.once('close', (status) => {
      if (status === 0) resolve()
      else reject(new Error(`${command} -dc ended with status ${String(status)}: ${said.trim()}`))
    })
  })
  // Its end says more than that of its pipes.
  const written = pipeline(packed, child.stdin)
  for (const outcome of [written, ended]) outcome.catch(() => undefined)
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    await ended
    await written
  } catch (error) {
    await ended
    throw error
  } finally {
    child.kill()
  }
}
