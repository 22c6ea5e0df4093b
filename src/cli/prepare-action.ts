import { actionOf } from '../build/planned-action.ts'
import type { Action } from '../build/executor.ts'
import { requireHost } from '../build/require-host.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { FileSource, Metadata } from '../metadata/model.ts'
import { graphOf, nodeOf, sourcesOf, usedBy } from '../plan/graph.ts'
import { buildContext, buildTargets } from './build-targets.ts'
import type { CommandContext } from './context.ts'

/** A recipe's action, and what brings its sources. */
export interface PreparedAction {
  readonly action: Action
  /** Puts what the action itself reads into the store: it may never have been run. */
  readonly fetchSources: () => Promise<void>
}

/**
 * Builds what a recipe is built from, so that a sandbox for its action can be made. The sandbox
 * also holds `more`, recipes of any layer, and what they need. Fails with `unknown-target` if one
 * of those is missing.
 */
export async function prepareAction(
  command: CommandContext,
  id: RecipeId,
  more: readonly RecipeId[] = [],
): Promise<PreparedAction> {
  const metadata = withInputs(await command.metadata(), id, more)
  const store = await command.store()
  const graph = graphOf(metadata, [id])
  const node = nodeOf(graph.nodes, id)
  const inputs = usedBy(node)
  await requireHost(store.root)
  if (inputs.length > 0) {
    const before = await command.plan(graph, inputs)
    const missing = inputs.filter((input) => before.get(input)?.state !== 'stored')
    if (missing.length > 0)
      process.stderr.write(`first, what ${id} is built from: ${missing.join(', ')}\n`)
    await buildTargets(command, graph, inputs, {}, await buildContext(command, {}, { share: true }))
  }
  const action = actionOf(await command.plan(graph, [id, ...inputs]), id)
  return { action, fetchSources: () => fetchSources(command, sourcesOf(node)) }
}

function withInputs(metadata: Metadata, id: RecipeId, more: readonly RecipeId[]): Metadata {
  const recipe = metadata.recipes.get(id)
  if (recipe === undefined || more.length === 0) return metadata
  for (const one of more)
    if (!metadata.recipes.has(one))
      throw new FixpointError('unknown-target', `Cannot find "${one}": there is no such recipe`)
  const inputs = [...new Set([...recipe.inputs, ...more])]
  return { ...metadata, recipes: new Map([...metadata.recipes, [id, { ...recipe, inputs }]]) }
}

async function fetchSources(
  command: CommandContext,
  sources: readonly FileSource[],
): Promise<void> {
  const { fetcher } = await buildContext(command, {})
  await Promise.all(sources.map((source) => fetcher.fetch(source, command.signal)))
  await command.settle()
}
