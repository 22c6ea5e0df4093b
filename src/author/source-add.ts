import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { NewSources } from '../fetch/ports.ts'
import { recipeName } from '../metadata/format/texts.ts'
import type { Layout } from '../metadata/tree/layers.ts'
import type { Store } from '../store/store.ts'
import { buildLines } from './build-lines.ts'
import { requireText } from './checked.ts'
import { ownLayer } from './new.ts'
import { putNewFolder } from './new-folder.ts'
import { newPlace, withVersion } from './new-place.ts'
import { packageAt, packageContents, type PackageContents } from './package-file.ts'
import { inQuotes, yamlWord } from './yaml-text.ts'

/** What is asked for. */
export interface SourceAddOptions {
  /** A place as in `from:`, or the path of a file. */
  readonly place: string
  /** Name of the recipe; undefined: that of the package. */
  readonly name: string | undefined
  readonly layer: string | undefined
}

/** What it works with. */
export interface SourceAddContext {
  readonly layout: Layout
  readonly store: Store
  readonly fetcher: NewSources
  readonly signal: AbortSignal
}

/** A recipe that a person is to fill in. */
export interface AddedSource {
  readonly file: string
  readonly name: string
  readonly version: string
  readonly sha256: Digest
  /** Bytes. */
  readonly size: number
}

/**
 * Fetches a file and writes a recipe with its digest into one of the user's layers. Fails with
 * `source-unnamed`, `new-there`, `unknown-target`, and as {@link newPlace} and fetching do.
 */
export async function sourceAdd(
  { place, name: wanted, layer }: SourceAddOptions,
  { layout, store, fetcher, signal }: SourceAddContext,
): Promise<AddedSource> {
  const home = ownLayer(layout, layer)
  const at = newPlace(place)
  const { name: file, digest, size } = await fetcher.fetchNew(at.written, signal)
  const named = packageAt(at.parsed)
  const name = wanted ?? named?.name
  if (name === undefined)
    throw new FixpointError(
      'source-unnamed',
      `Cannot tell which package "${file}" is: its name has no version`,
    )
  requireText(recipeName, name, 'the name of a recipe')
  const version = named?.version ?? '1'
  const contents: PackageContents =
    named === undefined
      ? { build: undefined, licenses: [] }
      : await packageContents(await store.blobs.file(digest, signal), file, signal)
  const from = named === undefined ? at.written : withVersion(at, version)
  const folder = join(home.folder, name)
  await putNewFolder(folder, {
    'recipe.yaml': recipeText({ name, version, from, digest }, contents),
  })
  return { file: join(folder, 'recipe.yaml'), name, version, sha256: digest, size }
}

/** The style for what a package is built with. */
const STYLES = { autotools: 'autotools', meson: 'meson', cmake: 'cmake', make: 'plain' } as const

interface Described {
  readonly name: string
  readonly version: string
  readonly from: string
  readonly digest: Digest
}

function recipeText(
  { name, version, from, digest }: Described,
  { build, licenses }: PackageContents,
): string {
  return [
    `name: ${yamlWord(name)}`,
    `version: '${version}'`,
    '# To fill in: summary; license, as an SPDX expression.',
    `summary: What ${name} is for`,
    ...(licenses.length > 0 ? [`# Read for the license: ${licenses.join(', ')}`] : []),
    'sources:',
    `  - sha256: '${digest}'`,
    `    from: [${inQuotes(from)}]`,
    ...buildLines(STYLES[build ?? 'make'], { name, folder: undefined }),
    '',
  ].join('\n')
}
