import type { Digest } from '../../base/digest.ts'
import type { Event, EventSink } from '../../base/events.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { BuildContext } from '../../build/build-context.ts'
import { nodeOf, type Graph } from '../../plan/graph.ts'
import { planOn } from '../../store/plan-view.ts'
import type { IndexEntry } from '../../store/rooms.ts'
import { actionSchema } from './action.ts'
import type { Receipt } from './receipt.ts'

/** An action that ran to its end. */
export type Ran = Pick<Receipt, 'recipe' | 'key' | 'artifact' | 'document'>

/**
 * Watches a build: `context` is what it is to work with, and `ran` says which actions ran so far.
 * Those whose artifact was stored already are not among them, nor is what another engine made
 * meanwhile. A rebuild `hasOwnStore`: what is recorded there ran in it, before an interruption.
 */
export function watchActions(
  graph: Graph,
  context: BuildContext,
  hasOwnStore: boolean,
): { readonly context: BuildContext; readonly ran: () => Ran[] } {
  const ended = new Map<RecipeId, { key: Digest; artifact: Digest }>()
  const emit: EventSink = (event: Event) => {
    // Who did not run an action does not vouch for it.
    if (event.type === 'action-end' && event.place === 'local') ended.set(event.recipe, event)
    context.emit(event)
  }
  const documentOf = (recipe: RecipeId, key: Digest): Ran['document'] => {
    const { host } = nodeOf(graph.nodes, recipe).recipe
    // It was recorded before its event.
    return actionSchema.parse(context.store.index.find(context.indexName(key, host))?.document)
  }
  const recorded = (): [RecipeId, IndexEntry][] =>
    [...planOn(context, graph, [])].flatMap(([recipe, { key, node }]) => {
      const entry = key && context.store.index.find(context.indexName(key, node.recipe.host))
      return entry === undefined ? [] : [[recipe, entry]]
    })
  return {
    context: { ...context, emit },
    ran: () =>
      [...ended, ...(hasOwnStore ? recorded() : [])].map(([recipe, { key, artifact }]) => ({
        recipe,
        key,
        artifact,
        document: documentOf(recipe, key),
      })),
  }
}
