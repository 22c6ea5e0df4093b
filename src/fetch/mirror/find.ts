import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../base/digest.ts'
import { errorCode } from '../../base/files.ts'
import { readRegular } from '../../base/regular.ts'
import type { FileSource } from '../../metadata/model.ts'
import { filePath, isFileName } from '../../metadata/format/source-places.ts'
import { isAddress } from '../addresses.ts'
import { claimedNames, mirrorNames } from '../names.ts'
import { LARGEST_LIST, parseSums, SUMS } from './list.ts'

/** What a mirror folder has of a source. */
export interface FoundInMirror {
  /** Names under which it may lie and something does lie, best first. */
  readonly names: readonly string[]
  /** Why the folder or its list could not be read, where that is so. */
  readonly fault?: string
}

/**
 * Looks for the source in a mirror folder (flat; `SHA256SUMS` is optional). A name that SHA256SUMS
 * gives to another digest is left out: that is another source of the same name. With `claimedOnly`,
 * only the names that say which file the recipe means are looked for, whatever their digest.
 */
export async function findInMirror(
  folder: string,
  source: FileSource,
  claimedOnly: boolean,
): Promise<FoundInMirror> {
  const unusable = await faultOfFolder(folder)
  if (unusable !== undefined) return { names: [], fault: unusable }
  if (claimedOnly) return { names: await thereOf(folder, claimedNames(source).filter(isFileName)) }
  const { sums, fault } = await readSums(folder)
  const listed = [...sums].filter(([, digest]) => digest === source.sha256).map(([name]) => name)
  const own = mirrorNames(source).filter(
    (name) => (sums.get(name) ?? source.sha256) === source.sha256,
  )
  // What the list has under a name of the source goes first, as it says most.
  const names = new Set([...own.filter((name) => sums.has(name)), ...listed, ...own])
  return { names: await thereOf(folder, [...names]), ...(fault !== undefined && { fault }) }
}

/**
 * Bytes of the source in the first of some mirror folders that has it, by name: it is not read. 0
 * where none has it; addresses are passed over.
 */
export async function sizeInMirrors(
  mirrors: readonly string[],
  source: FileSource,
): Promise<number> {
  const folders = mirrors.filter((mirror) => !isAddress(mirror))
  for (const folder of folders.map((mirror) => filePath(mirror) ?? mirror)) {
    const [name] = (await findInMirror(folder, source, false)).names
    const found = name === undefined ? undefined : await lstat(join(folder, name))
    if (found?.isFile() === true) return found.size
  }
  return 0
}

async function faultOfFolder(folder: string): Promise<string | undefined> {
  try {
    return (await stat(folder)).isDirectory() ? undefined : 'no such folder'
  } catch (error) {
    return isAbsence(error) ? 'no such folder' : `cannot be read: ${messageOf(error)}`
  }
}

/** The folder's list. It only helps to find names: without it, those of the source are tried. */
async function readSums(
  folder: string,
): Promise<{ sums: ReadonlyMap<string, Digest>; fault?: string }> {
  try {
    const list = await readRegular(join(folder, SUMS), LARGEST_LIST, 'follow')
    if (list !== undefined) return { sums: parseSums(list) }
    return {
      sums: new Map(),
      fault: `its ${SUMS} is no file of at most ${String(LARGEST_LIST)} bytes`,
    }
  } catch (error) {
    return {
      sums: new Map(),
      ...(!isAbsence(error) && { fault: `its ${SUMS} cannot be read: ${messageOf(error)}` }),
    }
  }
}

/** The names that something has there, whatever it is: who copies it says what is wrong with it. */
async function thereOf(folder: string, names: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    names.map((name) =>
      lstat(join(folder, name)).then(
        () => true,
        (error: unknown) => !isAbsence(error),
      ),
    ),
  )
  return names.filter((_, index) => there[index])
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(errorCode(error) ?? '')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
