import PQueue from 'p-queue'
import type { RecipeId } from '../../base/recipe-id.ts'
import { parsePlace, type ParsedPlace } from '../../metadata/format/source-places.ts'
import { fetchedSources, type Recipe } from '../../metadata/model.ts'
import { PlaceFailure } from '../failure.ts'
import { compareDebianVersions, parseDebianVersion } from './debian-version.ts'
import { VersionLists, type VersionPlaces } from './lists.ts'
import { compareSemanticVersions } from './semantic-version.ts'

/** A newer version, and where it is: a suite of Debian, or a tag of npm. */
export interface Newer {
  readonly version: string
  readonly where: string
}

/** What is known of newer versions of a package that a recipe takes sources of. */
export interface Checked {
  readonly recipe: RecipeId
  /** The package as a place names it, `debian:NAME` or `npm:NAME`; of others the whole place. */
  readonly package: string
  /** The version that the recipe takes; undefined where its place does not say. */
  readonly version: string | undefined
  readonly newer: readonly Newer[]
  /**
   * Why that is not known. `mute`: places of that kind have no list of versions. `failed`: the
   * place should have one, and gave none.
   */
  readonly unknown?: { readonly kind: 'mute' | 'failed'; readonly reason: string }
}

/** Requests under way at once. */
const AT_ONCE = 4

/**
 * Looks for newer versions of all that recipes take sources of, in the order of the recipes. Writes
 * nothing. Rejects with `no-unpacker`, or with the signal's reason; a place that fails is in the
 * result.
 */
export async function findNewer(
  recipes: readonly Recipe[],
  places: VersionPlaces,
): Promise<Checked[]> {
  const queue = new PQueue({ concurrency: AT_ONCE })
  const lists = new VersionLists(places)
  const questions = recipes.flatMap(questionsOf)
  return Promise.all(
    questions.map((question) => queue.add(() => answerTo(question, lists, places.signal))),
  )
}

/** The newest version of a recipe, or why that is not known. */
export type Newest =
  { readonly version: string } | { readonly unknown: string; readonly isFailure: boolean }

/**
 * The newest version that the packages of a recipe's sources have, as far as they follow its
 * version: its own, where none is newer. `isFailure` tells of a place that should know. Rejects as
 * {@link findNewer} does.
 */
export async function findNewest(recipe: Recipe, places: VersionPlaces): Promise<Newest> {
  const checked = await findNewer([recipe], places)
  const following = checked.filter(({ version }) => version === recipe.version)
  for (const { package: name, unknown } of following.length > 0 ? following : checked)
    if (unknown !== undefined)
      return { unknown: `${name}: ${unknown.reason}`, isFailure: unknown.kind === 'failed' }
  const [version, ...others] = new Set(following.map(newestOf))
  if (version !== undefined && others.length === 0) return { version }
  const found = following.map((one) => `${one.package} has ${newestOf(one)}`)
  const reason = found.length > 0 ? found.join(', ') : 'its sources do not follow its version'
  return { unknown: reason, isFailure: false }
}

function newestOf({ version = '', newer }: Checked): string {
  const versions = newer.map((one) => one.version).sort(compareDebianVersions)
  return versions.at(-1) ?? version
}

/** A package of a recipe, of which a version is taken. */
interface Question {
  readonly recipe: RecipeId
  readonly package: string
  readonly version: string | undefined
  readonly place: ParsedPlace | undefined
  /** Whether the version is that of Debian, and not of the upstream only. */
  readonly isRevision: boolean
}

/** Packages of a recipe, each once: a package of Debian may have several files. */
function questionsOf(recipe: Recipe): Question[] {
  const questions = fetchedSources(recipe.sources).map(({ from }): Question => {
    const parsed = from.map((written) => ({ written, place: parsePlace(written) }))
    const { written = '', place } =
      parsed.find((one) => one.place?.kind === 'debian' || one.place?.kind === 'npm') ??
      parsed[0] ??
      {}
    const base = { recipe: recipe.id, place, isRevision: false }
    if (place?.kind === 'npm')
      return { ...base, package: `npm:${place.name}`, version: place.version }
    if (place?.kind !== 'debian') return { ...base, package: written, version: undefined }
    return { ...base, package: `debian:${place.package}`, ...versionOfFile(place.file) }
  })
  const first = new Map(questions.map((one) => [`${one.package} ${one.version ?? ''}`, one]))
  return [...first.values()]
}

/** The version in the name of a file of a source package (dpkg-source(1)). */
function versionOfFile(file: string): Pick<Question, 'version' | 'isRevision'> {
  const upstream = /^[^_]+_(.+)\.orig(?:-[A-Za-z0-9-]+)?\.tar\.[a-z0-9]+$/.exec(file)?.[1]
  if (upstream !== undefined) return { version: upstream, isRevision: false }
  const whole = /^[^_]+_(.+?)(?:\.debian)?\.(?:tar\.[a-z0-9]+|diff\.gz|dsc)$/.exec(file)?.[1]
  return { version: whole, isRevision: true }
}

async function answerTo(
  question: Question,
  lists: VersionLists,
  signal: AbortSignal,
): Promise<Checked> {
  const { recipe, package: name, version, place } = question
  const base = { recipe, package: name, version, newer: [] }
  signal.throwIfAborted()
  try {
    if (place?.kind === 'npm') return { ...base, newer: await newerInNpm(place, lists) }
    if (place?.kind === 'debian' && version !== undefined)
      return { ...base, newer: await newerInDebian(place.package, { ...question, version }, lists) }
  } catch (error) {
    if (!(error instanceof PlaceFailure)) throw error
    return { ...base, unknown: { kind: 'failed', reason: error.message } }
  }
  return { ...base, unknown: { kind: 'mute', reason: muteReason(place) } }
}

function muteReason(place: ParsedPlace | undefined): string {
  switch (place?.kind) {
    case 'debian':
      return 'the name of its file has no version'
    case 'address':
      return 'an address has no list of versions'
    case 'file':
      return 'a file has no list of versions'
    default:
      return 'it names no place with a list of versions'
  }
}

async function newerInNpm(
  { name, version }: ParsedPlace & { kind: 'npm' },
  lists: VersionLists,
): Promise<Newer[]> {
  const latest = await lists.latest(name)
  const isNewer = compareSemanticVersions(latest, version) > 0
  return isNewer ? [{ version: latest, where: 'latest' }] : []
}

/** Names of files have no epoch, so it is not compared. */
async function newerInDebian(
  name: string,
  { version, isRevision }: { readonly version: string; readonly isRevision: boolean },
  lists: VersionLists,
): Promise<Newer[]> {
  const found: Newer[] = []
  let isListed = false
  for (const [where, suite] of await lists.suites()) {
    const listed = suite.get(name)?.version
    if (listed === undefined) continue
    isListed = true
    const { upstream, revision } = parseDebianVersion(listed)
    const theirs = isRevision && listed.includes('-') ? `${upstream}-${revision}` : upstream
    const isKnown = found.some((newer) => newer.version === theirs)
    if (!isKnown && compareDebianVersions(theirs, version) > 0)
      found.push({ version: theirs, where })
  }
  if (!isListed) throw new PlaceFailure(`no suite has it: ${lists.suiteNames}`)
  return found
}
