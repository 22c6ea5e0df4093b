import { recipeTree, type TreeOptions } from '../../plan/recipe-tree.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'

/** `tree RECIPE`: what it uses, or what uses it, as a tree. */
export async function treeCommand(
  command: CommandContext,
  word: string,
  flags: TreeOptions,
): Promise<void> {
  const metadata = await command.metadata()
  const lines = recipeTree(metadata, resolveTarget(metadata, word), flags)
  for (const { recipe, depth, branches, repeated } of lines)
    await command.result([`${branches}${recipe}${repeated ? ' (see above)' : ''}`], {
      type: 'branch',
      recipe,
      depth,
      repeated,
    })
}
