import { Argument, type Command } from 'commander'
import { SHELLS } from '../shells.ts'
import { run } from './run.ts'

/**
 * Adds the commands that tell shells and man(1) of all others. `createTree` makes a
 * tree of those, which completion adds to.
 */
export function addShellCommands(program: Command, createTree: () => Command): void {
  program.commandsGroup('Shell:')
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .description('print a script that lets the shell complete commands, options and recipes')
    .action(
      run(async () => {
        const { completionCommand } = await import('../commands/completion.ts')
        return async (_context, shell: string) => completionCommand(createTree(), shell)
      }),
    )
  program
    .command('complete', { hidden: true })
    .argument('[word...]')
    .action(
      run(async () => {
        const { completeCommand } = await import('../commands/completion.ts')
        return async (context, words: string[]) => completeCommand(context, createTree(), words)
      }),
    )
  program
    .command('man')
    .description('print all commands as a manual page')
    .action(
      run(async () => {
        const { manCommand } = await import('../commands/man.ts')
        return async (context) => manCommand(context, program)
      }),
    )
}
