import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'
import { visibleJson } from '../view/json.ts'

/**
 * `show RECIPE`: the recipe as the planner sees it; with `origin`, the file and line that each
 * field comes from.
 */
export async function showCommand(
  command: CommandContext,
  word: string,
  flags: { origin?: boolean },
): Promise<void> {
  const metadata = await command.metadata()
  const recipe = metadata.recipes.get(resolveTarget(metadata, word))
  if (recipe === undefined) return
  const { origins, ...fields } = recipe
  const lines = Object.entries(origins).map(([field, places]) => {
    const where = places.map(({ file, line, column }) =>
      [file, line, column].filter((part) => part !== undefined).join(':'),
    )
    return `${field}: ${where.join(', then ')}`
  })
  await (flags.origin === true
    ? command.result(lines, { type: 'recipe', recipe })
    : command.result(visibleJson(fields, 2).split('\n'), { type: 'recipe', recipe: fields }))
}
