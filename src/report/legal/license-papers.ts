import { readFile } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import type { Digest } from '../../base/digest.ts'
import { readRegularBytes } from '../../base/regular.ts'
import type { SourceFinder } from '../../fetch/find-source.ts'
import {
  LARGEST_LICENSE,
  licenseText,
  type FileSource,
  type LicenseFile,
  type Source,
} from '../../metadata/model.ts'
import { keepBytes } from '../../store/keep-bytes.ts'
import type { Store } from '../../store/store.ts'
import type { Held } from './held.ts'
import { PAPERS, type Paper } from './paper.ts'
import { readTexts, type FoundText } from './read-texts.ts'

/** What papers are read from. */
export interface TextSupplies {
  /** Where texts were kept that were read before, as by a build. */
  readonly store: Store
  readonly find: SourceFinder
  readonly signal: AbortSignal
}

type Texts = ReadonlyMap<LicenseFile, FoundText>

/**
 * The texts of licenses of all that is held: those that the store keeps, and else from the sources,
 * each of which is read once. Fails with
 * `license-changed`, which names every text that is not the one its recipe states, and as finding
 * sources does.
 */
export async function licensePapers(
  held: readonly Held[],
  supplies: TextSupplies,
): Promise<Paper[]> {
  const texts = await textsOf(
    held.flatMap(({ recipe }) => recipe.sources),
    supplies,
  )
  const papers = new Map<string, Paper>()
  const changes: string[] = []
  for (const { recipe } of held) {
    for (const { name, licenseFiles = [] } of recipe.sources) {
      for (const file of licenseFiles) {
        const found = texts.get(file)
        if (found === undefined || typeof found === 'string')
          changes.push(`${recipe.id}, source "${name}", file "${file.path}": ${found ?? ''}`)
        else {
          const path = `${PAPERS.licenses}/${recipe.id}/${name}/${fileName(file)}`
          papers.set(path, { path, bytes: found })
        }
      }
    }
  }
  if (changes.length === 0) return [...papers.values()]
  throw new FixpointError(
    'license-changed',
    'Cannot collect texts of licenses: some are not those that their recipes state\n' +
      changes.map((change) => `    ${change}`).join('\n'),
  )
}

function fileName({ path, lines }: LicenseFile): string {
  return lines === undefined ? path : `${path}.lines-${lines.first}-${lines.last}`
}

async function textsOf(sources: readonly Source[], supplies: TextSupplies): Promise<Texts> {
  const { store, signal } = supplies
  const texts = new Map<LicenseFile, FoundText>()
  const add = async (found: Texts): Promise<void> => {
    for (const [file, text] of found) {
      texts.set(file, text)
      if (typeof text !== 'string') await keepBytes(store, text, file.sha256)
    }
  }
  const fetched = new Map<Digest, { source: FileSource; files: LicenseFile[] }>()
  for (const source of sources) {
    const files: LicenseFile[] = []
    for (const file of source.licenseFiles ?? []) {
      if (store.blobs.has(file.sha256))
        texts.set(file, await readFile(await store.blobs.file(file.sha256, signal)))
      else files.push(file)
    }
    if (source.kind === 'tree') await add(await textsInTree(source, files))
    else if (files.length > 0) {
      const known = fetched.get(source.sha256) ?? { source, files: [] }
      known.files.push(...files)
      fetched.set(source.sha256, known)
    }
  }
  for (const { source, files } of fetched.values())
    await add(await textsInFile(source, files, supplies))
  return texts
}

/** Texts in a source that is fetched: a tarball, or a file that is a text itself. */
async function textsInFile(
  source: FileSource,
  files: readonly LicenseFile[],
  { find, signal }: TextSupplies,
): Promise<Texts> {
  const path = await find(source)
  const isItself = source.to === undefined && files.every((file) => file.path === source.name)
  if (!isItself) return readTexts(path, source.name, files, signal)
  const bytes = await readRegularBytes(path, LARGEST_LICENSE, 'refuse')
  return textsInBytes(bytes, files)
}

async function textsInTree(
  source: Extract<Source, { kind: 'tree' }>,
  files: readonly LicenseFile[],
): Promise<Texts> {
  const texts = new Map<LicenseFile, FoundText>()
  for (const file of files) {
    const local = source.files.find(({ name }) => name === file.path)
    const bytes = local === undefined ? undefined : await readFile(local.path)
    for (const [one, text] of textsInBytes(bytes, [file])) texts.set(one, text)
  }
  return texts
}

function textsInBytes(bytes: Buffer | undefined, files: readonly LicenseFile[]): Texts {
  return new Map(
    files.map((file) => [
      file,
      bytes === undefined ? 'there is no such file' : licenseText(bytes, file),
    ]),
  )
}
