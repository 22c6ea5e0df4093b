import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { Parser } from 'tar/parse'
import type { ReadEntry } from 'tar/read-entry'
import { FixpointError } from '../base/error.ts'
import { AR, arMember } from './ar.ts'

/** Programs that unpack what Node cannot, or not everywhere, by the first bytes of a file. */
const UNPACKERS: readonly [magic: string, command: string][] = [
  ['\x1f\x8b', 'gzip'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
]

/**
 * Calls `onEntry` for each entry of a tarball of sources, whatever packed it; that reads the entry,
 * or passes it over by `resume`. Whoever aborts `reading` ends it. Rejects with the reason of that,
 * and for a tarball that is damaged.
 */
export async function readTar(
  packed: AsyncIterable<Buffer>,
  onEntry: (entry: ReadEntry) => void,
  reading: AbortController,
): Promise<void> {
  const parser = new Parser({ strict: true })
  parser.on('error', (error: unknown) => {
    reading.abort(error)
  })
  parser.on('entry', onEntry)
  await feed(parser, unpacked(packed), reading.signal)
}

/** Whether an entry is a regular file. */
export function isFile({ type }: ReadEntry): boolean {
  return ['File', 'OldFile', 'ContiguousFile'].includes(type)
}

/** The error of a tarball that is damaged, or of a kind that is not known here. */
export function unreadable(name: string, cause: unknown): FixpointError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new FixpointError('source-unreadable', `Cannot look into "${name}": ${why}`, {
    cause,
  })
}

/**
 * Writes all chunks to the parser, as fast as it takes them. Rejects with the reason of `failed`.
 */
async function feed(
  parser: Parser,
  chunks: AsyncIterable<Buffer>,
  failed: AbortSignal,
): Promise<void> {
  const failure = aborted(failed)
  failure.catch(() => undefined) // when nothing waits
  for await (const chunk of chunks) {
    if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), failure])
    failed.throwIfAborted()
  }
  const ended = once(parser, 'end')
  parser.end()
  await Promise.race([ended, failure])
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
}

/**
 * The bytes, through the program that the first of them ask for. Of a Debian package, the tarball
 * with its files.
 */
async function* unpacked(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
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
