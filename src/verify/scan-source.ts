import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
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

/** Kind of the scripts in an npm package: published as they run. */
export const SCRIPTS = 'JavaScript of npm packages'

/** Programs that unpack what Node cannot, or not everywhere, by the first bytes of a file. */
const UNPACKERS: readonly [magic: string, command: string][] = [
  ['\x1f\x8b', 'gzip'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
]

/** Counts what in a source's tarball is not source in the strict sense, also in tarballs in it. `npm`: its scripts count, whatever they say. */
export async function scanSource(path: string, npm: boolean): Promise<Tally[]> {
  const tallies = new Map<string, Tally>()
  const note = (kind: string, bytes: number): void => {
    const { files, bytes: before } = tallies.get(kind) ?? { files: 0, bytes: 0 }
    tallies.set(kind, { kind, files: files + 1, bytes: before + bytes })
  }
  const look = (name: string, size: number, head: Buffer): void => {
    const inner = name.split('/').slice(1).join('/')
    const kind = kindOf(inner, head.toString('latin1'))?.name
    if (kind !== undefined) note(kind, size)
    else if (npm && /\.[cm]?js$/.test(inner)) note(SCRIPTS, size)
  }
  await scanTar(createReadStream(path), look)
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
  const first = await new Promise<Buffer>((resolve, reject) => {
    packed.once('readable', () => {
      resolve((packed.read() as Buffer | null) ?? Buffer.alloc(0))
    })
    packed.once('error', reject)
  })
  packed.unshift(first)
  const command = UNPACKERS.find(([magic]) => first.toString('latin1', 0, 8).startsWith(magic))?.[1]
  if (command === undefined) return pipeline(packed, target)
  const child = spawn(command, ['-dc'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.all([pipeline(packed, child.stdin), pipeline(child.stdout, target)])
}
