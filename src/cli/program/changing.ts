import type { Command } from 'commander'
import { run } from './run.ts'

/** Adds the commands that change recipes. */
export function addChangingCommands(program: Command): void {
  program.commandsGroup('Change:')
  program
    .command('edit')
    .argument('<recipe>')
    .argument('[folder]', 'the tree to make, which is not there yet; default: the name')
    .description("a recipe's sources, unpacked and patched, as a tree of git")
    .action(run(async () => (await import('../commands/edit.ts')).editCommand))
  program
    .command('patch')
    .argument('<recipe>')
    .argument('[folder]', 'a tree that `edit` made; default: the name')
    .description('write the commits of such a tree as patches of the recipe')
    .option('--layer <layer>', 'the layer that gets them')
    .action(run(async () => (await import('../commands/patch.ts')).patchCommand))
}
