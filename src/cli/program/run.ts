import type { Command } from 'commander'
import { CommandContext, type GlobalOptions } from '../context.ts'

/** A command: gets its context, and what commander parsed, as its own declaration says. */
type Runner = (context: CommandContext, ...parsed: never[]) => Promise<void>

/**
 * The story of an invocation: loads the command, gives it a context made from the global options,
 * and closes that in the end. A command is loaded when it runs: loading all of them would take
 * longer than a build with nothing to do.
 */
export function run(load: () => Promise<Runner>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const self = args.at(-1) as Command
    const command = await load()
    const context = await CommandContext.open(self.optsWithGlobals<GlobalOptions>())
    try {
      await command(context, ...(args.slice(0, -1) as never[]))
      await context.checkOutput()
    } catch (error) {
      throw await context.causeOf(error)
    } finally {
      await context.close()
    }
  }
}
