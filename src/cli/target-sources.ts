import { fetchedSources, type FileSource } from '../metadata/model.ts'
import { graphOf } from '../plan/graph.ts'
import type { CommandContext } from './context.ts'
import { resolveTargets } from './targets.ts'

/** Sources that building recipes takes: those that words mean, or all there are. */
export async function targetSources(
  command: CommandContext,
  words: readonly string[],
): Promise<FileSource[]> {
  const metadata = await command.metadata()
  const targets = words.length > 0 ? resolveTargets(metadata, words) : [...metadata.recipes.keys()]
  const nodes = [...graphOf(metadata, targets).nodes.values()]
  return nodes.flatMap(({ recipe }) => fetchedSources(recipe.sources))
}
