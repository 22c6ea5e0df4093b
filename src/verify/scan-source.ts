import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Parser } from 'tar/parse'
import type { ReadEntry } from 'tar/read-entry'
import { FixpointError } from '../base/error.ts'
import { HEAD, kindOf } from './seeds.ts'

/** Files of one kind in a source. */
export interface Tally {
  readonly kind: string
  readonly files: number
  /** Sum of their sizes, unpacked. */
  readonly bytes: number
}

/** What the sandbox's tools unpack. */
const TARBALL = /\.(tar|tgz|tar\.(gz|xz|bz2))$/

/** Kind of the scripts in an npm package: published as they run. */
export const SCRIPTS = 'JavaScript of npm packages'

/** Programs that unpack what Node cannot, or not everywhere, by the first bytes of a file. */
const UNPACKERS: readonly [magic: string, command: string][] = [
  ['\x1f\x8b', 'gzip'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
]

/**
 * Counts what in a source is not source in the strict sense: in a tarball and in tarballs in it, or
 * what it is itself. `name` is the source's name, `path` where it lies. `npm`: its scripts count,
 * whatever they say.
 */
export async function scanSource(path: string, name: string, npm: boolean): Promise<Tally[]> {
  const tallies = new Map<string, Tally>()
  const note = (kind: string, bytes: number): void => {
    const { files, bytes: before } = tallies.get(kind) ?? { files: 0, bytes: 0 }
    tallies.set(kind, { kind, files: files + 1, bytes: before + bytes })
  }
  const look = (file: string, size: number, head: Buffer): void => {
    const kind = kindOf(file, head.toString('latin1'))?.name
    if (kind !== undefined) note(kind, size)
    else if (npm && /\.[cm]?js$/.test(file)) note(SCRIPTS, size)
  }
  if (TARBALL.test(name)) {
    await scanTar(createReadStream(path), (entry, size, head) => {
      look(entry.split('/').slice(1).join('/'), size, head)
    }).catch((error: unknown) => {
      throw error instanceof FixpointError ? error : unreadable(name, error)
    })
  } else {
    const head = await buffer(createReadStream(path, { end: HEAD - 1 }))
    look(name, (await stat(path)).size, head)
  }
  return [...tallies.values()]
}

/** The error of a tarball that is damaged, or of a kind that is not known here. */
function unreadable(name: string, cause: unknown): FixpointError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new FixpointError('source-unreadable', `Cannot look into "${name}": ${why}`, {
    cause,
  })
}

type Look = (name: string, size: number, head: Buffer) => void

/**
 * Tarballs that are looked into where they lie in another one; those of tests are broken on
 * purpose.
 */
const INNER = /\.tar\.(xz|gz|bz2)$/
const TESTS = /\/(test|tests|testsuite)\//

async function scanTar(packed: AsyncIterable<Buffer>, look: Look): Promise<void> {
  const parser = new Parser({ strict: true })
  const failed = new AbortController()
  const fail = (error: unknown): void => {
    failed.abort(error)
  }
  const inner: Promise<void>[] = []
  parser.on('error', fail)
  parser.on('entry', (entry: ReadEntry) => {
    if (isFile(entry) && entry.size > 0 && INNER.test(entry.path) && !TESTS.test(entry.path)) {
      const scanned = scanTar(entry, look)
      scanned.catch(fail)
      inner.push(scanned)
    } else {
      lookAt(entry, look)
    }
  })
  await feed(parser, unpacked(packed), failed.signal)
  await Promise.all(inner)
}

function isFile({ type }: ReadEntry): boolean {
  return ['File', 'OldFile', 'ContiguousFile'].includes(type)
}

function lookAt(entry: ReadEntry, look: Look): void {
  let head = Buffer.alloc(0)
  entry.on('data', (chunk: Buffer) => {
    if (head.length < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.length)])
  })
  entry.on('end', () => {
    if (isFile(entry)) look(entry.path, entry.size, head)
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

/** The bytes, through the program that the first of them ask for. */
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
