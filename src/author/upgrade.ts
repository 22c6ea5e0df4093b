import { dirname, resolve } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { NewSources } from '../fetch/ports.ts'
import { version as versionText } from '../metadata/format/texts.ts'
import type { Loaded } from '../metadata/load.ts'
import { requireText } from './checked.ts'
import { amendedPlace, statedPlace, whereStated, type Stated } from './version-place.ts'

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
  const place = stated.isOwn ? statedPlace(stated, recipe) : await amendedPlace(loaded, recipe)
  // Where it cannot be written, nothing is fetched.
  place.textWith(version, new Map())
  const found = new Map<number, { name: string; sha256: Digest }>()
  for (const [index, { from = [] }] of place.sources.entries()) {
    const templates = from.filter((template) => template.includes('{{version}}'))
    if (templates.length === 0) continue
    const expanded = templates.map((template) =>
      absolute(expandedPlace(template, statement.name, version, recipe), stated, recipe),
    )
    const { name, digest } = await firstOf(expanded, fetcher, signal)
    found.set(index, { name, sha256: digest })
  }
  if (found.size === 0)
    throw new FixpointError(
      'upgrade-template',
      `Cannot upgrade ${recipe}: no place of its sources has {{version}}`,
    )
  const undo = await place.put(place.textWith(version, found))
  try {
    await load()
  } catch (error) {
    await undo()
    throw error
  }
  return { file: place.file, from: known.version, to: version, sources: [...found.values()] }
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
