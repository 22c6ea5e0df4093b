import type { Command } from 'commander'
import { FixpointError } from '../../base/error.ts'
import type { CommandContext } from '../context.ts'
import type { GlobalOptions } from '../global-options.ts'

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
    refuseEmptyValues(self)
    const command = await load()
    // With it comes most of the engine, which help does not need.
    const { CommandContext: Context } = await import('../context.ts')
    const context = await Context.open(self.optsWithGlobals<GlobalOptions>())
    try {
      await command(context, ...(args.slice(0, -1) as never[]))
      await context.checkOutput()
    } catch (error) {
      const { withSourcePositions } = await import('../source-positions.ts')
      throw await withSourcePositions(await context.causeOf(error), context.options)
    } finally {
      await context.close()
    }
  }
}

/**
 * An unset variable of a script must not stand for the working folder. Fails with `empty-option`.
 */
function refuseEmptyValues(command: Command): void {
  const values = Object.entries<unknown>(command.optsWithGlobals())
  const [name] = values.find(([, value]) => [value].flat().includes('')) ?? []
  if (name === undefined) return
  throw new FixpointError('empty-option', `Cannot use option "--${name}": its value is empty`)
}
