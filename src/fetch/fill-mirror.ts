import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { appendFile, copyFile } from 'node:fs/promises'
import { Folder } from '../base/beneath.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode, explainDiskFull, makeFolder } from '../base/files.ts'
import { openRegular, readRegular } from '../base/regular.ts'
import { replaceFile } from '../base/replace-file.ts'
import { visible } from '../base/visible.ts'
import { LARGEST_LIST, parseSums, SUMS } from './mirror.ts'
import type { FileSource } from '../metadata/model.ts'
import { isFileName } from '../metadata/format/source-places.ts'
import { mirrorFiles } from '../plan/action-document.ts'
import type { SourceFinder } from './find-source.ts'

/** Brings a file to a path where nothing is. */
type Put = (from: string, to: string) => Promise<void>

/** What a mirror folder was filled with. */
export interface Filled {
  /** Files that it was to hold. */
  readonly files: number
  /** Those of them that were copied now. */
  readonly copied: number
}

/**
 * Makes `folder` a mirror that holds the sources: each under the names it has in an image's mirror,
 * listed in a `SHA256SUMS`. What is there stays, apart from files that are not what the list says.
 * `put` brings a file there, by copying unless told otherwise. Nothing is written through a link in
 * the folder. Fails with `disk-full`, `mirror-entry` for what is in the way, or `mirror-name` for a
 * source that cannot have its name there.
 */
export async function fillMirror(
  folder: string,
  sources: readonly FileSource[],
  find: SourceFinder,
  put: Put = copyNew,
): Promise<Filled> {
  const files = mirrorFiles(sources)
  for (const { name } of files) requireName(name, folder)
  try {
    await makeFolder(folder)
    const mirror = Folder.open(folder)
    try {
      return { files: files.length, copied: await fill(mirror, files, sources, find, put) }
    } finally {
      mirror.close()
    }
  } catch (error) {
    throw explainDiskFull(error, folder)
  }
}

/**
 * Brings the files that are missing, then lists them. Resolves with the number of those it brought.
 */
async function fill(
  mirror: Folder,
  files: readonly { readonly name: string; readonly digest: Digest }[],
  sources: readonly FileSource[],
  find: SourceFinder,
  put: Put,
): Promise<number> {
  const list = await readList(mirror)
  const listed = parseSums(list ?? '')
  const byDigest = new Map(sources.map((source) => [source.sha256, source]))
  const lines: string[] = []
  let copied = 0
  for (const { name: wanted, digest } of files) {
    const source = byDigest.get(digest)
    if (source === undefined) continue
    const name = (await isFree(mirror, wanted, digest, listed)) ? wanted : digest
    if ((await digestThere(mirror, name)) !== digest) {
      const path = await find(source)
      await replaceFile(mirror, name, (part) => put(path, part), `.${digest}.part`)
      copied += 1
    }
    if (listed.get(name) !== digest) lines.push(`${digest}  ${name}\n`)
  }
  if (lines.length > 0)
    await replaceFile(
      mirror,
      SUMS,
      async (part) => {
        // Byte by byte: it may be no text.
        if (list !== undefined) await copyNew(mirror.at(SUMS), part)
        // A list that ends within a line would swallow the next line.
        await appendFile(part, `${isCutShort(list) ? '\n' : ''}${lines.join('')}`)
      },
      `.${SUMS}.part`,
    )
  return copied
}

/** True for a list whose last line has no end. */
function isCutShort(list: string | undefined): boolean {
  return list !== undefined && list !== '' && !list.endsWith('\n')
}

function copyNew(from: string, to: string): Promise<void> {
  return copyFile(from, to, constants.COPYFILE_EXCL)
}

/**
 * Metadata refuses such names as well; here they would take the place of the list, or of a file
 * elsewhere.
 */
function requireName(name: string, folder: string): void {
  if (isFileName(name) && name.toUpperCase() !== SUMS) return
  throw new FixpointError(
    'mirror-name',
    `Cannot put source "${visible(name)}" into mirror "${folder}": no file there may have ` +
      `that name`,
    { hint: 'Give the source another name by `name:`' },
  )
}

async function readList(mirror: Folder): Promise<string | undefined> {
  const found = mirror.stat(SUMS)
  if (found === undefined) return undefined
  if (!found.isFile()) throw inTheWay(mirror, SUMS, 'is no regular file')
  const list = await readRegular(mirror.at(SUMS), LARGEST_LIST, 'refuse')
  if (list === undefined) throw inTheWay(mirror, SUMS, `has more than ${LARGEST_LIST} bytes`)
  return list
}

/**
 * Whether a file of this name would take nothing's place: none is there, or it is the source, or
 * meant to be by the list.
 */
async function isFree(
  mirror: Folder,
  name: string,
  digest: Digest,
  listed: ReadonlyMap<string, Digest>,
): Promise<boolean> {
  const meant = listed.get(name)
  if (meant !== undefined) return meant === digest
  return mirror.stat(name) === undefined || (await digestThere(mirror, name)) === digest
}

/**
 * Digest of the file that is there, be it at the end of a link; undefined where there is none.
 * Fails with `mirror-entry` for what is no file.
 */
async function digestThere(mirror: Folder, name: string): Promise<Digest | undefined> {
  const found = mirror.stat(name)
  if (found === undefined) return undefined
  if (!found.isFile() && !found.isSymbolicLink()) throw inTheWay(mirror, name, 'is no file')
  try {
    const file = await openRegular(mirror.at(name), 'follow')
    if (file === undefined) throw inTheWay(mirror, name, 'leads to no file')
    const hash = createHash('sha256')
    for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20 }))
      hash.update(chunk as Buffer)
    return asDigest(hash.digest('hex'))
  } catch (error) {
    // A link to nowhere.
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

function inTheWay(mirror: Folder, name: string, fault: string): FixpointError {
  return new FixpointError(
    'mirror-entry',
    `Cannot fill mirror "${mirror.shown}": "${visible(name)}" there ${fault}`,
  )
}
