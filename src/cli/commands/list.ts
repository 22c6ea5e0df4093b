import { byCodeUnit } from '../../base/order.ts'
import type { Recipe } from '../../metadata/model.ts'
import type { CommandContext } from '../context.ts'
import { checkLayers } from '../targets.ts'

/** `list [LAYER…]`: recipes with version and summary, in the order of the layers. */
export async function listCommand(
  command: CommandContext,
  layers: readonly string[],
  flags: { images?: boolean },
): Promise<void> {
  const metadata = await command.metadata()
  checkLayers(metadata, layers)
  const recipes = [...metadata.recipes.values()].filter(
    ({ layer, image }) =>
      (layers.length === 0 || layers.includes(layer)) && (flags.images !== true || image),
  )
  const place = (recipe: Recipe): number => metadata.layers.indexOf(recipe.layer)
  recipes.sort((a, b) => place(a) - place(b) || byCodeUnit(a.id, b.id))
  await printRecipes(command, recipes)
}

/** Exit status of a search without a hit, as that of grep(1). */
const NOT_FOUND = 1

/**
 * `search WORD…`: recipes that have every word in their name, version or summary; exit code 1 when
 * there is none.
 */
export async function searchCommand(
  command: CommandContext,
  words: readonly string[],
): Promise<void> {
  const { recipes } = await command.metadata()
  const wanted = words.map((word) => word.toLowerCase())
  const found = [...recipes.values()].filter(({ id, version, summary }) => {
    const text = `${id} ${version} ${summary}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
  if (found.length > 0) {
    await printRecipes(
      command,
      found.sort((a, b) => byCodeUnit(a.id, b.id)),
    )
    return
  }
  const shown = words.map((word) => `"${word}"`).join(' and ')
  await command.result([`no recipe has ${shown} in its name, version or summary`], {
    type: 'not-found',
    words,
  })
  process.exitCode = NOT_FOUND
}

async function printRecipes(command: CommandContext, recipes: readonly Recipe[]): Promise<void> {
  const width = (of: (recipe: Recipe) => string): number =>
    recipes.reduce((most, recipe) => Math.max(most, of(recipe).length), 0)
  const [ids, versions] = [width(({ id }) => id), width(({ version }) => version)]
  for (const { id, version, summary, image } of recipes)
    await command.result([`${id.padEnd(ids)}  ${version.padEnd(versions)}  ${summary}`], {
      type: 'listed',
      recipe: id,
      version,
      summary,
      image,
    })
}
