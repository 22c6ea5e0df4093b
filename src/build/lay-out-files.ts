import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  linkSync,
  mkdirSync,
  readSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beneath, Folder } from '../base/beneath.ts'
import { EPOCH } from '../base/constants.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { LocalFile } from '../metadata/model.ts'
import type { Store } from '../store/store.ts'

/** Bytes that are copied at once. */
const CHUNK = 1 << 20

/**
 * Puts a source into `folder` as `name`: a recipe's word, which is taken for one component of a
 * path.
 */
export async function linkBlob(
  digest: Digest,
  folder: string,
  name: string,
  { store, signal }: { readonly store: Store; readonly signal: AbortSignal },
): Promise<void> {
  const blob = await store.blobs.file(digest, signal)
  Folder.with(folder, (held) => {
    linkSync(blob, held.at(name))
    const file = held.read(name)
    // How and when it got into the store is no input.
    fchmodSync(file, 0o644)
    futimesSync(file, EPOCH, EPOCH)
    closeSync(file)
  })
}

/**
 * Copies files of the checkout into a new folder `name` of `parent`, with constant modes and times.
 */
export function copyFiles(
  files: readonly LocalFile[],
  parent: string,
  name: string,
  backwards: boolean,
): void {
  Folder.with(parent, (held) => mkdirSync(held.at(name)))
  const target = join(parent, name)
  const folders = [...new Set(files.flatMap((file) => foldersOf(file.name)))]
  for (const folder of folders) beneath(target, folder, (held, inner) => mkdirSync(held.at(inner)))
  for (const file of inTurn(files, backwards))
    beneath(target, file.name, (held, inner) => copyInto(held, inner, file))
  for (const folder of folders.reverse())
    beneath(target, folder, (held, inner) => settle(held.folder(inner)))
  Folder.with(parent, (held) => settle(held.folder(name)))
}

/** The folders that a path leads through, outermost first. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
}

/** Gives a folder its constant mode and time, and closes it. */
function settle(folder: Folder): void {
  chmodSync(folder.self, 0o755)
  utimesSync(folder.self, EPOCH, EPOCH)
  folder.close()
}

/** Fails with `file-changed` when the file is not what it was when the recipes were read. */
function copyInto(folder: Folder, name: string, file: LocalFile): void {
  const from = Folder.with(dirname(file.path), (held) => held.read(basename(file.path)))
  const to = folder.create(name, 0o644)
  try {
    const actual = copyDescriptor(from, to)
    if (actual !== file.digest) throw changed(file, actual)
    fchmodSync(to, file.executable ? 0o755 : 0o644)
    futimesSync(to, EPOCH, EPOCH)
  } finally {
    closeSync(from)
    closeSync(to)
  }
}

/** Copies what is left of one open file to another; resolves to the digest of that. */
function copyDescriptor(from: number, to: number): Digest {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK)
  for (let read = readSync(from, buffer); read > 0; read = readSync(from, buffer)) {
    hash.update(buffer.subarray(0, read))
    for (let written = 0; written < read;) written += writeSync(to, buffer, written, read - written)
  }
  return asDigest(hash.digest('hex'))
}

function changed(file: LocalFile, actual: Digest): FixpointError {
  return new FixpointError(
    'file-changed',
    `Cannot use "${file.path}": it changed while the build ran (sha256 is ${actual}, ` +
      `was ${file.digest})`,
  )
}

/**
 * A list in its order or in the other one: in which order a folder was filled may show in how its
 * names are listed.
 */
export function inTurn<T>(list: readonly T[], backwards: boolean): readonly T[] {
  return backwards ? list.toReversed() : list
}
