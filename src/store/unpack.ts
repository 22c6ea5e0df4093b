import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, lutimes, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { EPOCH } from '../base/constants.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { checkEntryPath, type Entry, type Listing } from './listing.ts'

/** What came out of an artifact's tar. */
export interface Unpacked {
  /** Digest of the bytes that were read. */
  readonly digest: Digest
  readonly listing: Listing
}

/** Files up to this size are held whole while they are written. */
const WHOLE = 1 << 20

/**
 * Unpacks an artifact's tar (of {@link packTree}) into `target`, which must exist and be empty, or, without a target, only lists it.
 * The tar is hashed while it is read: the caller compares the digest before it uses the tree.
 */
export async function unpackArtifact(file: string, target: string | undefined): Promise<Unpacked> {
  const hash = createHash('sha256')
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const extract = tar.extract()
  const listing: Entry[] = []
  const folders = new Map<string, number>()
  extract.on('entry', (header, stream, next) => {
    readEntry(header, stream, target, folders).then(
      (entry) => {
        listing.push(entry)
        if (entry.type === 'folder') folders.set(entry.path, entry.mode)
        next()
      },
      (error: unknown) => {
        next(error)
      },
    )
  })
  await pipeline(createReadStream(file, { highWaterMark: WHOLE }), meter, extract)
  // Folders last and from the inside out: writing into one changes its time, and its mode may forbid it.
  for (const [folder, mode] of target === undefined ? [] : [...folders].reverse()) {
    const path = join(target ?? '', folder)
    await utimes(path, EPOCH, EPOCH)
    await chmod(path, mode)
  }
  return { digest: asDigest(hash.digest('hex')), listing }
}

async function readEntry(
  header: tar.Headers,
  stream: Readable,
  target: string | undefined,
  folders: ReadonlyMap<string, number>,
): Promise<Entry> {
  const path = header.name.replace(/\/$/, '')
  checkEntryPath(path, folders)
  const mode = header.mode ?? 0
  const full = target === undefined ? undefined : join(target, path)
  switch (header.type) {
    case 'directory':
      stream.resume()
      if (full !== undefined) await mkdir(full, { mode: 0o700 })
      return { type: 'folder', path, mode }
    case 'symlink': {
      stream.resume()
      const linkTarget = header.linkname ?? ''
      if (full !== undefined) {
        await symlink(linkTarget, full)
        await lutimes(full, EPOCH, EPOCH)
      }
      return { type: 'link', path, target: linkTarget }
    }
    case 'file': {
      const size = header.size ?? 0
      const sha256 = await readContent(stream, size, full)
      if (full !== undefined) {
        await chmod(full, mode)
        await utimes(full, EPOCH, EPOCH)
      }
      return { type: 'file', path, mode, size, sha256 }
    }
    default:
      throw new TypeError(`Artifact holds an entry of type "${String(header.type)}": "${path}"`)
  }
}

async function readContent(stream: Readable, size: number, full: string | undefined): Promise<Digest> {
  const hash = createHash('sha256')
  if (size <= WHOLE) {
    const data = await buffer(stream)
    hash.update(data)
    if (full !== undefined) await writeFile(full, data, { mode: 0o600, flag: 'wx' })
  } else {
    stream.on('data', (chunk: Buffer) => hash.update(chunk))
    if (full === undefined) stream.resume()
    const done =
      full === undefined
        ? new Promise((resolve) => stream.on('end', resolve))
        : pipeline(stream, createWriteStream(full, { mode: 0o600, flags: 'wx' }))
    await done
  }
  return asDigest(hash.digest('hex'))
}
