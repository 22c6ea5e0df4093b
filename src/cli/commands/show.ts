import { basename } from 'node:path'
import { formatBytes, formatDuration } from '../../base/format.ts'
import type { Position } from '../../base/error.ts'
import type { Recipe, Source } from '../../metadata/model.ts'
import type { IndexEntry } from '../../store/rooms.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'
import { inColumns } from '../view/columns.ts'

/**
 * `show RECIPE`: what a recipe is, in short; with --json all of it, as the planner sees it. With
 * `origin`, the file and line that each field comes from.
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
  if (flags.origin === true) {
    const lines = Object.entries(origins).map(([field, places]) => {
      return `${field}: ${places.map(placeOf).join(', then ')}`
    })
    await command.result(lines, { type: 'recipe', recipe })
    return
  }
  await command.result(linesOf(recipe, await lastBuild(command, recipe)), {
    type: 'recipe',
    recipe: fields,
  })
}

function placeOf({ file, line, column }: Position): string {
  return [file, line, column].filter((part) => part !== undefined).join(':')
}

function linesOf(recipe: Recipe, built: IndexEntry | undefined): string[] {
  const { id, version, summary, license, linkedLicense, style, patches, steps } = recipe
  const rows: [field: string, values: readonly string[]][] = [
    ['license', license === undefined ? [] : [license]],
    ['license of what links it', linkedLicense === undefined ? [] : [linkedLicense]],
    ['style', style === undefined ? [] : [style]],
    ['inputs', recipe.inputs],
    ['needs', recipe.needs],
    ['contents', recipe.contents],
    ['sources', recipe.sources.flatMap(sourceLines)],
    ['patches', patches.map(({ name }) => name)],
    ['steps', [steps.map(({ name }) => name).join(', ')]],
    ...filesOf(recipe),
    ['last build', built === undefined ? [] : [buildLine(built)]],
  ]
  const cells = rows.flatMap(([field, values]) =>
    values.map((value, at) => [at === 0 ? `  ${field}` : '', value]),
  )
  return [`${id} ${version}: ${summary}`, ...inColumns(cells)]
}

/** The file that defines a recipe, and those that amend it. */
function filesOf({ origins }: Recipe): [string, string[]][] {
  const files = [...new Set(Object.values(origins).flatMap((all) => all.map(({ file }) => file)))]
  const [definition] = origins['name'] ?? []
  return [
    ['defined in', definition === undefined ? [] : [definition.file]],
    ['amended in', files.filter((file) => basename(file) === 'amend.yaml')],
  ]
}

function sourceLines(source: Source): string[] {
  switch (source.kind) {
    case 'file':
      return [
        ...(source.from.length === 0 ? [source.name] : source.from),
        `  sha256 ${source.sha256}`,
      ]
    case 'tree':
      return [`${source.name}, of this checkout`, `  sha256 ${source.digest}`]
  }
}

function buildLine({ size, durationMs }: IndexEntry): string {
  const time = durationMs > 0 ? ` in ${formatDuration(durationMs)}` : ''
  return `${formatBytes(size)}${time}`
}

/** The newest result of the recipe that the store has. A store that cannot be read has none. */
async function lastBuild(command: CommandContext, { id }: Recipe): Promise<IndexEntry | undefined> {
  try {
    const { index } = await command.store()
    const last = index.history(id).at(-1)
    return last && index.find(last.name)
  } catch {
    return undefined
  }
}
