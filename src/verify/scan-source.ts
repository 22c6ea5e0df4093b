import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
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
 * Counts what in a source is not source in the strict sense: in a tarball and in tarballs in it, or what it is itself. `name` is the source's name, `path`
 * where it lies. `npm`: its scripts count, whatever they say.
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
    })
  } else {
    const head = await buffer(createReadStream(path, { end: HEAD - 1 }))
    look(name, (await stat(path)).size, head)
  }
  return [...tallies.values()]
}

type Look = (name: string, size: number, head: Buffer) => void

async function scanTar(packed: Readable, look: Look): Promise<void> {
  // Some upstreams' tarballs are of the time before ustar.
  const extract = tar.extract({ allowUnknownFormat: true })
  extract.on('entry', (header, stream, next) => {
    const done = (): void => {
      next()
    }
    if (header.type !== 'file') {
      stream.on('end', done).resume()
    } else if (/\.tar\.(xz|gz|bz2)$/.test(header.name) && !/\/(test|tests|testsuite)\//.test(header.name)) {
      scanTar(stream, look).then(done, next)
    } else {
      let head = Buffer.alloc(0)
      stream.on('data', (chunk: Buffer) => {
        if (head.length < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.length)])
      })
      stream.on('end', () => {
        look(header.name, header.size ?? 0, head)
        next()
      })
    }
  })
  await unpack(packed, extract)
}

/** Pipes a stream through the program that its first bytes ask for. */
async function unpack(packed: Readable, target: NodeJS.WritableStream): Promise<void> {
  const chunks = packed[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  const first = (await chunks.next()).value ?? Buffer.alloc(0)
  async function* whole(): AsyncGenerator<Buffer> {
    for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = (await chunks.next()).value) yield chunk
  }
  const command = UNPACKERS.find(([magic]) => first.toString('latin1', 0, 8).startsWith(magic))?.[1]
  if (command === undefined) return pipeline(whole, target)
  // What it complains of is told by the error, not by the way.
  const child = spawn(command, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      if (status === 0) resolve()
      else reject(new Error(`${command} -dc ended with status ${String(status)}: ${said.trim()}`))
    })
  })
  await Promise.all([pipeline(whole, child.stdin), pipeline(child.stdout, target), ended])
}
