import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { ReadEntry } from 'tar/read-entry'
import { FixpointError } from '../base/error.ts'
import { isFile, readTar, unreadable } from '../fetch/source-tar.ts'
import { HEAD, kindOf } from './seeds.ts'

/** Files of one kind in a source. */
export interface Tally {
  readonly kind: string
  readonly files: number
  /** Sum of their sizes, unpacked. */
  readonly bytes: number
}

/** What the sandbox's tools unpack, and Debian's packages. */
const TARBALL = /\.(tar|tgz|tar\.(gz|xz|bz2)|deb)$/

/** Kind of the scripts in an npm package: published as they run. */
export const SCRIPTS = 'JavaScript of npm packages'

/** Kind of the modules in a Debian package: as Debian's build installed them. */
export const MODULES = 'Python of Debian packages'

/**
 * Counts what in a source is not source in the strict sense: in a tarball and in tarballs in it, or
 * what it is itself. `name` is the source's name, `path` where it is. `npm`: its scripts count,
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
    else if (name.endsWith('.deb') && file.endsWith('.py')) note(MODULES, size)
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

type Look = (name: string, size: number, head: Buffer) => void

/**
 * Tarballs that are looked into where they lie in another one; those of tests are broken on
 * purpose.
 */
const INNER = /\.tar\.(xz|gz|bz2)$/
const TESTS = /\/(test|tests|testsuite)\//

async function scanTar(packed: AsyncIterable<Buffer>, look: Look): Promise<void> {
  const reading = new AbortController()
  const inner: Promise<void>[] = []
  const onEntry = (entry: ReadEntry): void => {
    if (isFile(entry) && entry.size > 0 && INNER.test(entry.path) && !TESTS.test(entry.path)) {
      const scanned = scanTar(entry, look)
      scanned.catch((error: unknown) => {
        reading.abort(error)
      })
      inner.push(scanned)
    } else {
      lookAt(entry, look)
    }
  }
  await readTar(packed, onEntry, reading)
  await Promise.all(inner)
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
