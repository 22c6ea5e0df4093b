import { digestOf } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Loaded } from '../metadata/load.ts'
import type { LocalFile, Recipe } from '../metadata/model.ts'
import {
  BASE,
  digestsOf,
  digestsOfSources,
  noteBase,
  PATCHES,
  RECIPE,
  SOURCES,
  WRITING,
} from './edit-tree.ts'
import { Git } from './git.ts'
import { ownFolder, type OwnFolder } from './own-folder.ts'
import { newPatches, numberingAfter, untracked, type NewPatch } from './patches.ts'
import { putText } from './put-text.ts'
import { withWord } from './with-word.ts'
import { writePatches, type PatchesPlace, type Undo } from './write-patches.ts'

/** What is asked for. */
export interface PatchOptions {
  readonly recipe: RecipeId
  /** The tree that was made for editing. */
  readonly tree: string
  /** The layer that gets the patches; undefined: where the user's changes belong. */
  readonly layer: string | undefined
  /** Loads the layers, as they are when it is called. */
  readonly load: () => Promise<Loaded>
  readonly signal: AbortSignal
}

/** Patches that were written. */
export interface WrittenPatches {
  /** The folder that has them in `patches/`. */
  readonly folder: string
  readonly names: readonly string[]
  /** Whether the folder is a new one, with an amendment. */
  readonly isNew: boolean
  /** The file that now has GNU patch among the inputs, or that should. */
  readonly withPatch: { readonly file: string; readonly isDone: boolean } | undefined
  /** Files of the tree that no commit has. */
  readonly untracked: readonly string[]
}

/**
 * Writes the commits that a tree has since it was made as patches of its recipe. The layers are as
 * before when that fails: with `edit-other`, `edit-stale`, as {@link newPatches} and
 * {@link ownFolder} do, or with the faults that the layers would then have.
 */
export async function patchRecipe({
  recipe,
  tree,
  layer,
  load,
  signal,
}: PatchOptions): Promise<WrittenPatches> {
  const loaded = await load()
  const git = new Git(tree, signal)
  const known = recipeIn(loaded, recipe)
  const { patches: before } = known
  const base = await baseOf(git, known)
  const own = await ownFolder(loaded, recipe, layer)
  const names = own.change?.patches.map(({ name }) => name) ?? []
  const patches = await newPatches(git, base, numberingAfter(names))
  const isMissing = !hasPatch(loaded, recipe)
  const inputs = isMissing ? inputsOf(own) : undefined
  const written = {
    folder: own.folder,
    names: patches.map(({ name }) => name),
    isNew: own.change === undefined,
    withPatch: inputs && { file: inputs.file, isDone: inputs.after !== undefined },
    untracked: await untracked(git),
  }
  if (patches.length === 0) return { ...written, withPatch: undefined }
  const append = isMissing ? `append:\n  inputs: [${PATCH}]\n` : ''
  const amendment = own.change === undefined ? `amends: ${recipe}\n${append}` : undefined
  const head = (await git.run(['rev-parse', 'HEAD'])).trim()
  await noteWriting(git, head, before, patches)
  const undo = await writeAll({ folder: own.folder, amendment }, inputs, patches)
  try {
    const { patches: after } = recipeIn(await load(), recipe)
    requireLast(after, before, written.names, recipe)
    await noteBase(git, head, after)
  } catch (error) {
    await undo()
    throw error
  }
  return written
}

/** GNU patch, which applies patches in the sandbox. */
const PATCH = 'toolchain/patch' as RecipeId

/** Whether GNU patch is where a recipe is built. */
function hasPatch({ metadata }: Loaded, id: RecipeId): boolean {
  const recipe = metadata.recipes.get(id)
  return recipe?.host === true || recipe?.inputs.includes(PATCH) === true
}

/** A file whose inputs do not name GNU patch. */
interface Inputs {
  readonly file: string
  readonly before: string
  /** The text with GNU patch; undefined where the list cannot be added to. */
  readonly after: string | undefined
}

/** Undefined for a folder that has no recipe or amendment yet. */
function inputsOf({ change }: OwnFolder): Inputs | undefined {
  if (change === undefined) return undefined
  const { file, text } = change.yaml
  return { file, before: text, after: withWord(change, 'inputs', PATCH) }
}

async function writeAll(
  place: PatchesPlace,
  inputs: Inputs | undefined,
  patches: readonly NewPatch[],
): Promise<Undo> {
  if (inputs?.after === undefined) return writePatches(place, patches)
  // First, as a recipe may have GNU patch without patches, and not the other way round.
  await putText(inputs.file, inputs.after)
  const undoInputs: Undo = () => putText(inputs.file, inputs.before)
  try {
    const undo = await writePatches(place, patches)
    return async () => {
      await undo()
      await undoInputs()
    }
  } catch (error) {
    await undoInputs()
    throw error
  }
}

/** Notes what is to be written: whoever was killed in between can go on. */
async function noteWriting(
  git: Git,
  head: string,
  before: readonly LocalFile[],
  patches: readonly NewPatch[],
): Promise<void> {
  const after = [...before, ...patches.map(({ bytes }) => ({ digest: digestOf(bytes) }))]
  await git.run(['config', WRITING, `${head} ${digestsOf(after)}`])
}

function recipeIn({ metadata }: Loaded, id: RecipeId): Recipe {
  const recipe = metadata.recipes.get(id)
  if (recipe === undefined) throw new TypeError(`"${id}" is no recipe`)
  return recipe
}

/**
 * The commit that stands for the sources with all patches that the recipe has. Where a run was
 * killed while it wrote patches, it is the commit of the last one that is there.
 */
async function baseOf(git: Git, { id, patches, sources }: Recipe): Promise<string> {
  const [own, notedSources, noted, base, writing] = [
    await git.setting(RECIPE),
    await git.setting(SOURCES),
    await git.setting(PATCHES),
    await git.setting(BASE),
    await git.setting(WRITING),
  ]
  if (own !== id || base === undefined)
    throw new FixpointError(
      'edit-other',
      own === undefined
        ? `Cannot make patches of "${git.folder}": it was not made for editing a recipe`
        : `Cannot make patches of "${git.folder}" for ${id}: it is a tree of ${own}`,
    )
  if (notedSources !== undefined && notedSources !== digestsOfSources(sources))
    throw stale(git, id, 'sources')
  const now = digestsOf(patches)
  if (noted === now) return base
  const [head = '', ...written] = writing?.split(' ') ?? []
  const added = patches.length - listed(noted).length
  if (added <= 0 || written.slice(0, patches.length).join(' ') !== now)
    throw stale(git, id, 'patches')
  const commits = await git.run(['rev-list', '--reverse', `${base}..${head}`])
  return commits.split('\n')[added - 1] ?? head
}

function listed(digests = ''): string[] {
  return digests.split(' ').filter((digest) => digest !== '')
}

function stale(git: Git, id: RecipeId, what: 'sources' | 'patches'): FixpointError {
  return new FixpointError(
    'edit-stale',
    `Cannot make patches of "${git.folder}": the ${what} of ${id} have changed since it was made`,
  )
}

/** Patches of a later layer would come after the new ones, which were made on top of them. */
function requireLast(
  after: readonly LocalFile[],
  before: readonly LocalFile[],
  names: readonly string[],
  recipe: RecipeId,
): void {
  const wanted = [...before.map(({ name }) => name), ...names]
  if (after.length === wanted.length && after.every(({ name }, at) => name === wanted[at])) return
  throw new FixpointError(
    'edit-order',
    `Cannot make patches of ${recipe} there: other patches would be applied after the new ones`,
  )
}
