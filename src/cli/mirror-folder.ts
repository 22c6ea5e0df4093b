import { appendFile, copyFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile, type Digest } from '../base/digest.ts'
import { commitFile, errorCode, exists, explainDiskFull, makeFolder } from '../base/files.ts'
import { parseSums } from '../fetch/mirror.ts'
import type { FileSource } from '../metadata/model.ts'
import { mirrorFiles } from '../plan/document.ts'
import type { SourceFinder } from '../verify/list-seeds.ts'

const SUMS = 'SHA256SUMS'

/**
 * Makes `folder` a mirror that holds the sources: each under the name it has in an image's mirror, listed in a `SHA256SUMS`. What is there stays, apart from
 * files that are not what the list says. `put` brings a file there, by copying unless told otherwise. Resolves with the number of files that were copied. Fails with `disk-full`.
 */
export async function fillMirror(
  folder: string,
  sources: readonly FileSource[],
  find: SourceFinder,
  put: (from: string, to: string) => Promise<void> = copyFile,
): Promise<number> {
  try {
    await makeFolder(folder)
    const sums = join(folder, SUMS)
    const text = await readFile(sums, 'utf8').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return ''
      throw error
    })
    const listed = parseSums(text)
    const byDigest = new Map(sources.map((source) => [source.sha256, source]))
    let copied = 0
    // A list that ends within a line would swallow the next one.
    let end = text === '' || text.endsWith('\n') ? '' : '\n'
    for (const { name: wanted, digest } of mirrorFiles(sources)) {
      const source = byDigest.get(digest)
      if (source === undefined) continue
      const name = (await isFree(folder, wanted, digest, listed)) ? wanted : digest
      const path = join(folder, name)
      if (!(await holds(path, digest))) {
        await putWhole(await find(source), path, put)
        copied += 1
      }
      if (listed.get(name) === digest) continue
      await appendFile(sums, `${end}${digest}  ${name}\n`)
      end = ''
    }
    return copied
  } catch (error) {
    throw explainDiskFull(error, folder)
  }
}

/** Puts a file there whole or not at all: what there was room for is not left behind. */
async function putWhole(from: string, to: string, put: (from: string, to: string) => Promise<void>): Promise<void> {
  const part = `${to}.part`
  try {
    await rm(part, { force: true }) // of a killed run
    await put(from, part)
    await commitFile(part, to)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Whether a file of this name would take nothing's place: none is there, or it is the source, or meant to be by the list. */
async function isFree(
  folder: string,
  name: string,
  digest: Digest,
  listed: ReadonlyMap<string, Digest>,
): Promise<boolean> {
  const meant = listed.get(name)
  if (meant !== undefined) return meant === digest
  const path = join(folder, name)
  return !(await exists(path)) || (await holds(path, digest))
}

async function holds(path: string, digest: Digest): Promise<boolean> {
  return (await exists(path)) && (await digestOfFile(path)) === digest
}
