import { digestOf } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Loaded } from '../metadata/load.ts'
import type { LocalFile } from '../metadata/model.ts'
import { BASE, digestsOf, noteBase, PATCHES, RECIPE, WRITING } from './edit-tree.ts'
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
  const before = patchesIn(loaded, recipe)
  const base = await baseOf(git, recipe, before)
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
    const after = patchesIn(await load(), recipe)
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
  const after = [...before, ...patches.map(({ text }) => ({ digest: digestOf(text) }))]
  await git.run(['config', WRITING, `${head} ${digestsOf(after)}`])
}

function patchesIn({ metadata }: Loaded, id: RecipeId): readonly LocalFile[] {
  const recipe = metadata.recipes.get(id)
  if (recipe === undefined) throw new TypeError(`"${id}" is no recipe`)
  return recipe.patches
}

async function baseOf(git: Git, recipe: RecipeId, patches: readonly LocalFile[]): Promise<string> {
  const [own, noted, base] = [
    await git.setting(RECIPE),
    await git.setting(PATCHES),
    await git.setting(BASE),
  ]
  if (own !== recipe || base === undefined)
    throw new FixpointError(
      'edit-other',
      own === undefined
        ? `Cannot make patches of "${git.folder}": it was not made for editing a recipe`
        : `Cannot make patches of "${git.folder}" for ${recipe}: it is a tree of ${own}`,
    )
  if (noted === digestsOf(patches)) return base
  const [head = '', ...written] = (await git.setting(WRITING))?.split(' ') ?? []
  if (head === '' || written.join(' ') !== digestsOf(patches))
    throw new FixpointError(
      'edit-stale',
      `Cannot make patches of "${git.folder}": the patches of ${recipe} have changed since ` +
        'it was made',
    )
  return head
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
