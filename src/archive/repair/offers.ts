import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { resolve } from 'node:path'
import { copyBeneath, putFile } from '../../base/put-file.ts'
import { isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { Turns } from '../../base/turns.ts'
import { LARGEST_LIST, parseSums, SUMS } from '../../fetch/mirror/list.ts'
import { readDisk } from '../../image/disk.ts'
import type { FileBelow } from '../par2/files-below.ts'
import { digestsBelow, digestsOfOwn, isWanted, type Digests, type Wanted } from './digests.ts'
import type { Means } from './plan.ts'
import { treeBelow, type Entry } from './tree.ts'

/** A place that may have whole files. */
export interface Place {
  readonly means: Means
  /** For people. */
  readonly name: string
  /** Looks for a file of the wanted bytes, and hashes it. */
  readonly find: (wanted: Wanted) => Promise<FoundFile | undefined>
}

/** A file of the wanted bytes. */
export interface FoundFile {
  readonly name: string
  /** Where it lies, if it is a file of its own. */
  readonly file?: FileBelow
  /** Copies it to a path below a root, whole or not at all. */
  readonly copy: (root: string, path: string) => Promise<void>
}

/** The files below a folder: another copy, a mirror, or the kit itself. Each is hashed once. */
export function folderPlace(
  means: Means,
  root: string,
  turns: Turns,
  isUsed: (path: string) => boolean = () => true,
): Place {
  let entries: readonly Entry[] | undefined
  const known = new Map<string, Digests | string>()
  return {
    means,
    name: root,
    find: async (wanted) => {
      entries ??= treeBelow(root).filter(({ path, size }) => size !== undefined && isUsed(path))
      const name = wanted.path.slice(wanted.path.lastIndexOf('/') + 1)
      const rank = ({ path }: Entry): number =>
        path === wanted.path ? 0 : path.endsWith(`/${name}`) || path === name ? 1 : 2
      const fitting = entries
        .filter(({ size }) => wanted.size === undefined || size === wanted.size)
        .toSorted((a, b) => rank(a) - rank(b) || byCodeUnit(a.path, b.path))
      for (const { path } of fitting) {
        const digests = known.get(path) ?? (await digestsBelow({ root, path }, turns))
        known.set(path, digests)
        if (typeof digests !== 'string' && isWanted(wanted, digests))
          return {
            name: path,
            file: { root, path },
            copy: (to, target) => copyBeneath(root, path, to, target),
          }
      }
      return undefined
    },
  }
}

/** Path of a file of that digest; undefined where there is none. */
export type BlobPath = (digest: Digest) => Promise<string | undefined>

/** Files by digest, as in a store: `pathOf` gives that of a blob. */
export function storePlace(pathOf: BlobPath, turns: Turns): Place {
  return {
    means: 'store',
    name: '',
    find: async (wanted) => {
      const { sha256 } = wanted
      const path = sha256 !== undefined && isDigest(sha256) ? await pathOf(sha256) : undefined
      if (path === undefined || !isWanted(wanted, await digestsOfOwn(path, turns))) return undefined
      const at = path.lastIndexOf('/')
      const [root, name] = [path.slice(0, at), path.slice(at + 1)]
      return { name, copy: (to, target) => copyBeneath(root, name, to, target) }
    },
  }
}

/**
 * The sources in the mirror partition of an image, which may be damaged elsewhere. A damaged or
 * foreign image offers nothing.
 */
export function imagePlace(image: string, name: string, signal?: AbortSignal): Place {
  let names: Promise<Mirror> | undefined
  return {
    means: 'image',
    name,
    find: async (wanted) => {
      const { start, byDigest } = await (names ??= readMirror(image, signal))
      const found = byDigest.get(wanted.sha256 ?? '')
      if (found === undefined) return undefined
      const hash = createHash('sha256')
      await readOut({ image, start, name: found }, (chunk) => hash.update(chunk), signal)
      if (hash.digest('hex') !== wanted.sha256) return undefined
      return {
        name: found,
        copy: (root, path) =>
          putFile(root, path, (part) => {
            const to = createWriteStream(part, { flags: 'wx' })
            return readOut({ image, start, name: found }, to, signal)
          }),
      }
    },
  }
}

/** Names of the files in a mirror partition, by SHA-256; its position in bytes. */
interface Mirror {
  readonly start: number
  readonly byDigest: ReadonlyMap<string, string>
}

async function readMirror(image: string, signal: AbortSignal | undefined): Promise<Mirror> {
  const none = { start: 0, byDigest: new Map<string, string>() }
  try {
    const partition = (await readDisk(image)).partitions.find(({ name }) => name === 'mirror')
    if (partition === undefined) return none
    const chunks: Buffer[] = []
    let bytes = 0
    await readOut(
      { image, start: partition.start, name: SUMS },
      (chunk) => {
        bytes += chunk.length
        if (bytes <= LARGEST_LIST) chunks.push(chunk)
      },
      signal,
    )
    const sums = parseSums(Buffer.concat(chunks).toString())
    const byDigest = new Map([...sums].map(([name, digest]) => [digest as string, name]))
    return { start: partition.start, byDigest }
  } catch (error) {
    if (error instanceof FixpointError && error.kind !== 'interrupted') return none
    throw error
  }
}

/**
 * Writes a file of a squashfs partition to `to`, as far as it can be read: whoever wants it
 * compares digests. Nothing comes where unsquashfs is missing.
 */
async function readOut(
  file: { readonly image: string; readonly start: number; readonly name: string },
  to: Writable | ((chunk: Buffer) => unknown),
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = ['-offset', String(file.start), '-cat', resolve(file.image), file.name]
  const child = spawn('unsquashfs', args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    ...(signal && { signal }),
  })
  const ended = once(child, 'close').catch(() => undefined)
  for await (const chunk of child.stdout) {
    if (typeof to === 'function') to(chunk as Buffer)
    else if (!to.write(chunk)) await once(to, 'drain')
  }
  await ended
  signal?.throwIfAborted()
  if (typeof to !== 'function') {
    to.end()
    await finished(to)
  }
}
