import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { manPage } from '../view/man-page.ts'

/** `man`: the manual page of all commands, in the language of man(7). */
export async function manCommand(command: CommandContext, tree: Command): Promise<void> {
  await command.settle()
  process.stdout.write(manPage(tree))
}
