import { rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { exists } from '../base/files.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { removeTree } from '../base/remove-tree.ts'
import { makeWhole, makeWholeFolder } from '../base/whole-folder.ts'
import type { Loaded } from '../metadata/load.ts'
import { ownFolder, type OwnFolder } from './own-folder.ts'
import { putText } from './put-text.ts'
import { withWord } from './with-word.ts'
import { yamlWord } from './yaml-text.ts'

/** What is asked for. */
export interface FragmentOptions {
  readonly recipe: RecipeId
  /** Name of the file that is to be made; undefined: one that is free. */
  readonly name: string | undefined
  /** The layer that gets it; undefined: where the user's changes belong. */
  readonly layer: string | undefined
  /** Loads the layers, as they are when it is called. */
  readonly load: () => Promise<Loaded>
}

/** Where a new fragment goes. */
export interface FragmentPlace {
  /** The fragments that the recipe has. */
  readonly config: readonly string[]
  readonly name: string
  readonly own: OwnFolder
  /** The YAML file that has to name it, as it is and as it will be; undefined: a new one. */
  readonly yaml:
    { readonly file: string; readonly before: string; readonly after: string } | undefined
}

/**
 * Where a new fragment of a recipe would go; changes nothing. Fails with `no-config`, `bad-name`,
 * `fragment-there`, `fragment-elsewhere`, and as {@link ownFolder} does.
 */
export async function fragmentPlace(options: FragmentOptions): Promise<FragmentPlace> {
  const { recipe, layer, load } = options
  const loaded = await load()
  const known = loaded.metadata.recipes.get(recipe)
  if (known === undefined) throw new TypeError(`"${recipe}" is no recipe`)
  const { config } = known
  if (config.length === 0)
    throw new FixpointError('no-config', `Cannot configure ${recipe}: it has no "config"`)
  const files = known.files.map((file) => file.name)
  const name = options.name ?? freeName(files)
  if (!/^[A-Za-z0-9][\w.+-]{0,99}$/.test(name))
    throw new FixpointError('bad-name', `Cannot use "${name}" as the name of a fragment`)
  if (files.includes(name))
    throw new FixpointError(
      'fragment-there',
      `Cannot make fragment "${name}": ${recipe} has a file of that name`,
    )
  const own = await ownFolder(loaded, recipe, layer)
  if (own.change === undefined) return { config, name, own, yaml: undefined }
  const { yaml } = own.change
  const after = withWord(own.change, 'config', name)
  if (after === undefined)
    throw new FixpointError(
      'fragment-elsewhere',
      `Cannot add a fragment to "${yaml.file}": its list is not in a form that can be added to`,
    )
  return { config, name, own, yaml: { file: yaml.file, before: yaml.text, after } }
}

/**
 * Writes a fragment, and adds it to the `config` of its recipe as the last one. The layers are as
 * before when that fails: as {@link fragmentPlace} does, with `fragment-order`, or with the faults
 * that the layers would then have. Answers the path of the new file.
 */
export async function writeFragment(options: FragmentOptions, text: string): Promise<string> {
  const { recipe, load } = options
  const place = await fragmentPlace(options)
  const { config, name, own } = place
  const undo = await put(place, recipe, text)
  try {
    const after = (await load()).metadata.recipes.get(recipe)?.config ?? []
    if (after.join('/') !== [...config, name].join('/'))
      throw new FixpointError(
        'fragment-order',
        `Cannot add a fragment to ${recipe} there: others would apply after it`,
      )
  } catch (error) {
    await undo()
    throw error
  }
  return join(own.folder, 'files', name)
}

/** Puts the files of a fragment; resolves to what undoes it. */
async function put(
  { own: { folder }, name, yaml }: FragmentPlace,
  recipe: RecipeId,
  text: string,
): Promise<() => Promise<void>> {
  const files = join(folder, 'files')
  if (yaml === undefined) {
    await makeWholeFolder(folder, async (part) => {
      const amend = `amends: ${recipe}\nappend:\n  config: [${yamlWord(name)}]\n`
      await writeFile(join(part, 'amend.yaml'), amend, { flag: 'wx', flush: true })
      await putFile(join(part, 'files', name), text)
    })
    return () => removeTree(folder)
  }
  const isNew = !(await exists(files))
  const undo = async (): Promise<void> => {
    await putText(yaml.file, yaml.before)
    await rm(join(files, name), { force: true })
    if (isNew) await rmdir(files)
  }
  await putFile(join(files, name), text)
  try {
    await putText(yaml.file, yaml.after)
  } catch (error) {
    await undo()
    throw error
  }
  return undo
}

function freeName(files: readonly string[]): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'menu.config' : `menu-${number}.config`
    if (!files.includes(name)) return name
  }
}

async function putFile(path: string, text: string): Promise<void> {
  await makeWhole(path, async (part) => {
    const made = join(part, basename(path))
    await writeFile(made, text, { flag: 'wx', flush: true })
    return { result: undefined, made }
  })
}
