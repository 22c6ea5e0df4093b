import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { EPOCH } from '../base/constants.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { byBytes } from '../base/order.ts'
import type { Entry, Listing } from './listing.ts'

/** Result of packing a tree. */
export interface Packed {
  readonly digest: Digest
  /** Bytes of the tar. */
  readonly size: number
  readonly listing: Listing
}

/**
 * Bytes. The kernel takes no path of more than 4095: the rest is for where a store lies, so that an artifact that can be packed in one can be
 * unpacked in any other.
 */
const LONGEST_PATH = 3072

/** Characters of a path that is too long that a message shows. */
const SHOWN = 200

/** Files up to this size are read whole: most are small, and a stream for each costs more than the reading. */
const WHOLE = 1 << 20

/**
 * Writes the tree below `root` to `target` as one tar that depends on names, modes, contents and link targets alone: entries sorted by the
 * bytes of their paths, owner 0:0, one constant time. Hard links become separate files, so that no inode numbers matter.
 * Fails with `artifact-special-file` for anything but files, folders and symbolic links, with `artifact-unreadable` for what its owner may not read, with
 * `artifact-name` for names that are not UTF-8 and paths that are too long. Format: POSIX.1-1988 ustar, pax for long names.
 */
export async function packTree(root: string, target: string): Promise<Packed> {
  return packPaths(root, await walk(root), target)
}

/** Like {@link packTree}, but only the paths of `listing`, which is sorted: what lies beside them is not looked at. Without a target only hashes. */
export function packListed(root: string, listing: Listing, target: string | undefined): Promise<Packed> {
  return packPaths(
    root,
    listing.map(({ path }) => path),
    target,
  )
}

async function packPaths(root: string, paths: readonly string[], target: string | undefined): Promise<Packed> {
  const pack = tar.pack()
  const hash = createHash('sha256')
  let size = 0
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      size += chunk.length
      done(null, chunk)
    },
  })
  const written = pipeline(pack, meter, target === undefined ? nowhere() : createWriteStream(target))
  const listing: Entry[] = []
  const added = (async () => {
    for (const path of paths) listing.push(await addEntry(pack, root, path))
    pack.finalize()
  })()
  try {
    // Both at once: when writing fails, as on a full disk, the tar stream takes no more entries and says nothing.
    await Promise.all([added, written])
  } catch (error) {
    pack.destroy()
    const cause = await written.then(
      () => undefined,
      (failure: unknown) => failure,
    )
    throw isSystemError(cause) ? cause : error
  }
  return { digest: asDigest(hash.digest('hex')), size, listing }
}

function nowhere(): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
}

/** Not the end of a stream that the end of another one brought about, but the cause. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error
}

/** Paths below `root`, relative, sorted by bytes; a folder comes before what it holds. */
async function walk(root: string): Promise<string[]> {
  const paths: string[] = []
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true, encoding: 'buffer' })) {
      const name = entry.name.toString()
      const path = folder === '' ? name : `${folder}/${name}`
      if (isMangled(name, entry.name)) throw unnameable(path, 'its name is not UTF-8')
      if (Buffer.byteLength(path) > LONGEST_PATH) throw tooLong(path)
      paths.push(path)
      if (!entry.isDirectory()) continue
      requireReadable(path, (await lstat(join(root, path))).mode, 0o500)
      await visit(path)
    }
  }
  await visit('')
  return paths.sort(byBytes)
}

/** Bytes that are not UTF-8 come out of Node as U+FFFD: such a name would be another one in the artifact. */
function isMangled(text: string, bytes: Buffer): boolean {
  return !Buffer.from(text).equals(bytes)
}

function tooLong(path: string): FixpointError {
  return unnameable(
    `${path.slice(0, SHOWN)}…`,
    `its path has ${String(Buffer.byteLength(path))} bytes, at most ${String(LONGEST_PATH)} are possible`,
  )
}

function unnameable(path: string, reason: string): FixpointError {
  return new FixpointError('buildFailed', 'artifact-name', `Cannot pack "${path}": ${reason}`)
}

/** Refuses what only root could read: an artifact must come out the same, and be usable, whoever builds it. */
function requireReadable(path: string, mode: number, wanted: number): void {
  if ((mode & wanted) === wanted) return
  throw new FixpointError(
    'buildFailed',
    'artifact-unreadable',
    `Cannot pack "${path}": its mode ${(mode & 0o7777).toString(8)} keeps its owner from reading it`,
  )
}

async function addEntry(pack: tar.Pack, root: string, path: string): Promise<Entry> {
  const full = join(root, path)
  const stat = await lstat(full)
  const mode = stat.mode & 0o7777
  const header = { name: path, mode, uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(EPOCH * 1000) }
  if (stat.isDirectory()) {
    await writeEntry(pack, { ...header, type: 'directory' })
    return { type: 'folder', path, mode }
  }
  if (stat.isSymbolicLink()) {
    const bytes = await readlink(full, { encoding: 'buffer' })
    const target = bytes.toString()
    if (isMangled(target, bytes)) throw unnameable(path, 'its target is not UTF-8')
    await writeEntry(pack, { ...header, mode: 0o777, type: 'symlink', linkname: target })
    return { type: 'link', path, target }
  }
  if (!stat.isFile()) {
    throw new FixpointError(
      'buildFailed',
      'artifact-special-file',
      `Cannot pack "${path}": it is a device, socket or pipe, wanted a file, folder or link`,
    )
  }
  requireReadable(path, stat.mode, 0o400)
  const sha256 = await writeFileEntry(pack, { ...header, type: 'file', size: stat.size }, full)
  return { type: 'file', path, mode, size: stat.size, sha256 }
}

async function writeEntry(pack: tar.Pack, header: tar.Headers): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    openEntry(pack, header, resolve, reject)
  })
}

async function writeFileEntry(pack: tar.Pack, header: tar.Headers & { size: number }, path: string): Promise<Digest> {
  const hash = createHash('sha256')
  const source =
    header.size <= WHOLE
      ? Readable.from([await readFile(path)], { objectMode: false })
      : createReadStream(path, { highWaterMark: WHOLE })
  try {
    await new Promise<void>((resolve, reject) => {
      const entry = openEntry(pack, header, resolve, reject)
      source.on('data', (chunk: Buffer) => hash.update(chunk))
      source.on('error', reject)
      source.pipe(entry)
    })
  } finally {
    source.destroy()
  }
  return asDigest(hash.digest('hex'))
}

/** Throws where the tar was given up meanwhile, since it could not be written: then there is no entry, and nobody would call back. */
function openEntry(pack: tar.Pack, header: tar.Headers, resolve: () => void, reject: (error: Error) => void): Writable {
  const entry = pack.entry(header, (error) => {
    if (error) reject(error)
    else resolve()
  }) as Writable | undefined
  if (entry === undefined) throw new Error('the tar was given up')
  return entry
}
