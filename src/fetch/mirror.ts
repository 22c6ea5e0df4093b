import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isDigest, type Digest } from '../base/digest.ts'
import { errorCode } from '../base/files.ts'
import type { FileSource } from '../metadata/model.ts'
import { parsePlace, placeFileName } from './place.ts'

/** Names that a mirror may keep a source under, best first: its digest, its name, the names it has at its places. */
export function mirrorNames(source: FileSource): readonly string[] {
  const places = source.from.map(parsePlace).filter((place) => place !== undefined)
  const names = [source.sha256, source.name, ...places.map(placeFileName)]
  return [...new Set(names)].filter(isPlainName)
}

/**
 * Paths in a mirror folder (flat; `SHA256SUMS` is optional) where the source may lie and something does lie. A name that SHA256SUMS gives to another
 * digest is left out: that is another source of the same name. Empty when the folder has none, undefined when there is no such folder.
 */
export async function findInMirror(folder: string, source: FileSource): Promise<readonly string[] | undefined> {
  if (!(await isKind(folder, 'folder'))) return undefined
  const sums = parseSums(await readSums(folder))
  const listed = [...sums].filter(([, digest]) => digest === source.sha256).map(([name]) => name)
  const names = new Set([
    ...listed,
    ...mirrorNames(source).filter((name) => (sums.get(name) ?? source.sha256) === source.sha256),
  ])
  const paths = [...names].map((name) => join(folder, name))
  const there = await Promise.all(paths.map((path) => isKind(path, 'file')))
  return paths.filter((_, index) => there[index])
}

/** Name -> digest of a SHA256SUMS file, as sha256sum(1) writes it. Names with a folder and lines of another form are left out. */
export function parseSums(text: string): ReadonlyMap<string, Digest> {
  const sums = new Map<string, Digest>()
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/.exec(line)
    const [, digest = '', name = ''] = match ?? []
    if (isDigest(digest) && isPlainName(name)) sums.set(name, digest)
  }
  return sums
}

/** A mirror is flat, and what a recipe or a list says must not lead out of it. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && basename(name) === name
}

async function readSums(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, 'SHA256SUMS'), 'utf8')
  } catch {
    // Only helps to find names; without it the names of the source are tried.
    return ''
  }
}

async function isKind(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  try {
    const found = await stat(path)
    return kind === 'file' ? found.isFile() : found.isDirectory()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}
