import { actionOf } from '../build/planned-action.ts'
import type { Action } from '../build/executor.ts'
import { requireHost } from '../build/require-host.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { FileSource } from '../metadata/model.ts'
import { graphOf, nodeOf, sourcesOf, usedBy } from '../plan/graph.ts'
import { buildContext, buildTargets } from './build-targets.ts'
import type { CommandContext } from './context.ts'

/** A recipe's action, and what brings its sources. */
export interface PreparedAction {
  readonly action: Action
  /** Puts what the action itself reads into the store: it may never have been run. */
  readonly fetchSources: () => Promise<void>
}

/** Builds what a recipe is built from, so that a sandbox for its action can be made. */
export async function prepareAction(
  command: CommandContext,
  id: RecipeId,
): Promise<PreparedAction> {
  const metadata = await command.metadata()
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

async function fetchSources(
  command: CommandContext,
  sources: readonly FileSource[],
): Promise<void> {
  const { fetcher } = await buildContext(command, {})
  await Promise.all(sources.map((source) => fetcher.fetch(source, command.signal)))
  await command.settle()
}
