import { dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { removeTree } from '../base/remove-tree.ts'
import type { NewSources } from '../fetch/ports.ts'
import { version as versionText } from '../metadata/format/texts.ts'
import type { Loaded } from '../metadata/load.ts'
import { listOf } from '../metadata/recipe/merge.ts'
import type { RecipeStatement } from '../metadata/tree/statements.ts'
import type { YamlFile } from '../metadata/yaml/yaml-file.ts'
import { requireText } from './checked.ts'
import { putNewFolder } from './new-folder.ts'
import { putText } from './put-text.ts'
import { ownFolder } from './own-folder.ts'
import { ordersIn } from './with-word.ts'
import { withField, withTexts, type TextChange } from './yaml-text.ts'

/** What is asked for. */
export interface UpgradeOptions {
  readonly recipe: RecipeId
  readonly version: string
  /** Loads the layers, as they are when it is called. */
  readonly load: () => Promise<Loaded>
  readonly fetcher: NewSources
  readonly signal: AbortSignal
}

/** What was upgraded. */
export interface Upgraded {
  /** The file that states the new version. */
  readonly file: string
  readonly from: string
  readonly to: string
  readonly sources: readonly { readonly name: string; readonly sha256: Digest }[]
}

/** A source as its file states it. One from a folder has no `sha256` and no `from`. */
interface SourceText {
  readonly sha256?: string
  readonly from?: readonly string[]
  readonly name?: string | undefined
}

/**
 * States another version of a recipe, and the digests of its sources, which are fetched for that.
 * Where no file of the user's states the version, the recipe's own does then, or an amendment. The
 * layers are as before when that fails: with `upgrade-same`, `upgrade-template`,
 * `upgrade-elsewhere`, as fetching does, or with the faults that the layers would then have.
 */
export async function upgrade({
  recipe,
  version,
  load,
  fetcher,
  signal,
}: UpgradeOptions): Promise<Upgraded> {
  requireText(versionText, version, 'a version')
  const loaded = await load()
  const known = loaded.metadata.recipes.get(recipe)
  const statement = loaded.statements.recipes.get(recipe)
  if (known === undefined || statement === undefined)
    throw new TypeError(`"${recipe}" is no recipe`)
  if (known.version === version)
    throw new FixpointError('upgrade-same', `Cannot upgrade ${recipe}: it has version ${version}`)
  const stated = whereStated(loaded, statement)
  const sources = stated.isOwn ? sourcesIn(stated, recipe) : allSources(loaded, recipe)
  const found: { index: number; name: string; sha256: Digest }[] = []
  for (const [index, { from = [] }] of sources.entries()) {
    const places = from.filter((place) => place.includes('{{version}}'))
    if (places.length === 0) continue
    const expanded = places.map((place) =>
      absolute(expandedPlace(place, statement.name, version, recipe), stated, recipe),
    )
    const { name, digest } = await firstOf(expanded, fetcher, signal)
    found.push({ index, name, sha256: digest })
  }
  if (found.length === 0)
    throw new FixpointError(
      'upgrade-template',
      `Cannot upgrade ${recipe}: no place of its sources has {{version}}`,
    )
  const written = stated.isOwn
    ? await changeFile(stated, version, found, recipe)
    : await amend(loaded, recipe, { version, sources: changed(sources, found) })
  try {
    await load()
  } catch (error) {
    await written.undo()
    throw error
  }
  return {
    file: written.file,
    from: known.version,
    to: version,
    sources: found.map(({ name, sha256 }) => ({ name, sha256 })),
  }
}

/** The file that states version and sources, and where in it; `isOwn`: it is the user's. */
interface Stated {
  readonly yaml: YamlFile
  readonly path: readonly string[]
  readonly isOwn: boolean
}

function whereStated({ layout, statements }: Loaded, statement: RecipeStatement): Stated {
  const tree = layout.trees.at(-1)
  const amendment = (statements.amendments.get(statement.id) ?? []).findLast(
    ({ operators }) => operators.set?.version !== undefined,
  )
  const { yaml, layer } = amendment ?? statement
  const isSet = amendment !== undefined || statement.extends !== undefined
  const path = isSet && statement.stated.version === undefined ? ['set'] : []
  const isStated = [statement.stated.version, statement.operators.set?.version].some(
    (version) => version !== undefined,
  )
  const isOwn = layer.tree === tree && (amendment !== undefined || isStated)
  return { yaml, path: amendment === undefined ? path : ['set'], isOwn }
}

function sourcesIn({ yaml, path }: Stated, recipe: RecipeId): SourceText[] {
  let value: unknown = yaml.value
  for (const field of [...path, 'sources'])
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[field]
  if (Array.isArray(value)) return value as SourceText[]
  throw new FixpointError(
    'upgrade-elsewhere',
    `Cannot upgrade ${recipe}: "${yaml.file}" states its version, and another file its sources`,
  )
}

/** Sources of a recipe whose version another file states, wherever they are stated. */
function allSources({ drafts }: Loaded, recipe: RecipeId): SourceText[] {
  const draft = drafts.get(recipe)
  const sources = draft === undefined ? [] : listOf(draft, 'sources').map(({ value }) => value)
  const tree = sources.find((source) => 'tree' in source)
  if (tree === undefined) return sources
  throw new FixpointError(
    'upgrade-elsewhere',
    `Cannot upgrade ${recipe}: its source "${tree.name}" is a folder`,
  )
}

/** The sources with the digests that were found. */
function changed(
  sources: readonly SourceText[],
  found: readonly { readonly index: number; readonly sha256: Digest }[],
): SourceText[] {
  return sources.map((source, index) => {
    const sha256 = found.find((one) => one.index === index)?.sha256
    return sha256 === undefined ? source : { ...source, sha256 }
  })
}

function expandedPlace(place: string, name: string, version: string, recipe: RecipeId): string {
  const expanded = place.replaceAll('{{version}}', version).replaceAll('{{name}}', name)
  if (!expanded.includes('{{')) return expanded
  throw new FixpointError(
    'upgrade-template',
    `Cannot upgrade ${recipe}: place "${place}" has a template other than version and name`,
  )
}

/** A place that is relative to the folder of its recipe, as the fetcher takes it. */
function absolute(place: string, { yaml, isOwn }: Stated, recipe: RecipeId): string {
  if (!/^file:(?!\/)/.test(place)) return place
  if (isOwn) return `file:${resolve(dirname(yaml.file), place.slice('file:'.length))}`
  throw new FixpointError(
    'upgrade-elsewhere',
    `Cannot upgrade ${recipe}: place "${place}" is relative to the folder of another recipe`,
  )
}

async function firstOf(
  places: readonly string[],
  fetcher: NewSources,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<NewSources['fetchNew']>>> {
  let first: unknown
  for (const place of places) {
    try {
      return await fetcher.fetchNew(place, signal)
    } catch (error) {
      signal.throwIfAborted()
      first ??= error
    }
  }
  throw first
}

interface Written {
  readonly file: string
  readonly undo: () => Promise<void>
}

async function changeFile(
  { yaml, path }: Stated,
  version: string,
  found: readonly { readonly index: number; readonly sha256: Digest }[],
  recipe: RecipeId,
): Promise<Written> {
  const changes: TextChange[] = [
    { path: [...path, 'version'], text: version },
    ...found.map(({ index, sha256 }) => ({
      path: [...path, 'sources', index, 'sha256'],
      text: sha256,
    })),
  ]
  const text = withTexts(yaml.text, changes)
  if (text === undefined)
    throw new FixpointError(
      'upgrade-elsewhere',
      `Cannot upgrade ${recipe}: "${yaml.file}" does not state its version as one word`,
    )
  await putText(yaml.file, text)
  return { file: yaml.file, undo: () => putText(yaml.file, yaml.text) }
}

/** Sets version and sources where the user's changes of a recipe belong. */
async function amend(
  loaded: Loaded,
  recipe: RecipeId,
  set: { readonly version: string; readonly sources: readonly SourceText[] },
): Promise<Written> {
  const { folder, change } = await ownFolder(loaded, recipe, undefined)
  if (change === undefined) {
    await putNewFolder(folder, { 'amend.yaml': stringify({ amends: recipe, set }, LINES) })
    return { file: join(folder, 'amend.yaml'), undo: () => removeTree(folder) }
  }
  const { file, text: before } = change.yaml
  const { top, set: inSet } = ordersIn(file)
  let text: string | undefined = before
  for (const [field, value] of Object.entries(set))
    text &&= withField(text, {
      path: ['set', field],
      orders: [top, inSet],
      value: stringify(value, LINES).trimEnd(),
    })
  if (text === undefined)
    throw new FixpointError(
      'upgrade-elsewhere',
      `Cannot upgrade ${recipe}: "${file}" changes it, and its "set" cannot be added to`,
    )
  await putText(file, text)
  return { file, undo: () => putText(file, before) }
}

/** How YAML is written: lines as wide as those of the layers. */
const LINES = { lineWidth: 96 } as const
