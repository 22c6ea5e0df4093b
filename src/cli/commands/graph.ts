import type { RecipeId } from '../../base/recipe-id.ts'
import { graphOf, usedBy, type Node } from '../../plan/graph.ts'
import type { CommandContext } from '../context.ts'
import { resolveTargets } from '../targets.ts'

/** `graph [TARGET…]`: an edge a line, `recipe -> input`; with `dot` for Graphviz. */
export async function graphCommand(
  command: CommandContext,
  words: readonly string[],
  flags: { dot?: boolean },
): Promise<void> {
  const metadata = await command.metadata()
  const targets = words.length > 0 ? resolveTargets(metadata, words) : [...metadata.recipes.keys()]
  const nodes = [...graphOf(metadata, targets).nodes]
  if (flags.dot === true) {
    const edges = nodes.flatMap(([id, node]) =>
      edgesOf(id, node, (name) => `"${name}"`).map((line) => `  ${line}`),
    )
    process.stdout.write(`digraph fixpoint {\n${edges.join('\n')}\n}\n`)
    return
  }
  for (const [recipe, node] of nodes) {
    const { inputs, contents } = node
    await command.result(
      edgesOf(recipe, node, (name) => name),
      { type: 'node', recipe, inputs, contents },
    )
  }
}

/** The recipe alone when it uses none. */
function edgesOf(id: RecipeId, node: Node, show: (id: RecipeId) => string): string[] {
  const used = usedBy(node)
  return used.length === 0 ? [show(id)] : used.map((input) => `${show(id)} -> ${show(input)}`)
}
