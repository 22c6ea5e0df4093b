import { counted } from '../../base/format.ts'
import { graphOf } from '../../plan/graph.ts'
import { listSeeds } from '../../verify/list-seeds.ts'
import type { CommandContext } from '../context.ts'
import { resolveTargets } from '../targets.ts'
import { buildContext, findSources } from '../build-targets.ts'
import { fetchedSources } from '../../metadata/model.ts'

/**
 * `seeds [TARGET…]`: everything among the inputs of targets that is not source code in the strict
 * sense, by kind and by source.
 */
export async function seedsCommand(
  command: CommandContext,
  words: readonly string[],
): Promise<void> {
  const metadata = await command.metadata()
  const nodes = [...graphOf(metadata, resolveTargets(metadata, words)).nodes.values()]
  const sources = nodes.flatMap(({ recipe }) => fetchedSources(recipe.sources))
  const context = await buildContext(command, {})
  const seeds = await listSeeds(sources, { ...context, find: findSources(command, context) })
  for (const { kind, why, sources: rows } of seeds) {
    const files = rows.reduce((sum, row) => sum + row.files, 0)
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
    await command.result(
      [
        `## ${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}`,
        `${counted(files, 'file')}, ${bytes} bytes:`,
        `${why}.`,
        '',
        '| source | files | bytes |',
        '|---|--:|--:|',
        ...rows.map((row) => `| ${row.source} | ${String(row.files)} | ${String(row.bytes)} |`),
        '',
      ],
      { type: 'seeds', kind, why, sources: rows },
    )
  }
}
