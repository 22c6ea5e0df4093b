import { FixpointError } from '../../base/error.ts'
import { rebuildImage } from '../../verify/rebuild-image.ts'
import type { CommandContext } from '../context.ts'
import { receiptTarget, takeReceipts } from '../receipts.ts'
import type { RebuildFlags } from './rebuild.ts'

/** `rebuild --image FILE`: the image rebuilds itself on this host, at its speed. */
export async function rebuildImageCommand(
  command: CommandContext,
  file: string,
  word: string,
  flags: RebuildFlags,
): Promise<void> {
  refuseOutsiders(command, flags)
  const target = await receiptTarget(flags)
  await rebuildImage(
    {
      file,
      recipe: word,
      isPartial: flags.only !== undefined,
      options: optionsOf(command, flags),
      output: flags.output,
      takeReceipts: target && ((root, name) => takeReceipts(command, target, root, name)),
      beside: (await command.store()).root,
      terminal: {
        out: process.stdout,
        err: process.stderr,
        terminal: process.env['TERM'] ?? 'dumb',
      },
    },
    command.signal,
  )
}

/**
 * What is in the image decides: fails with `not-with-image` when it is to build other layers, or
 * other sources.
 */
function refuseOutsiders(command: CommandContext, { mirror, offline }: RebuildFlags): void {
  const given = { '--layers': command.options.layers, '--mirror': mirror, '--offline': offline }
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? []
  if (option === undefined) return
  throw new FixpointError('not-with-image', `Cannot use ${option} with --image`)
}

/** What the engine inside is to do as this one was told. */
function optionsOf(
  command: CommandContext,
  { only, jobs, memory, keepFailed, keepGoing }: RebuildFlags,
): string[] {
  return [
    ...(only === undefined ? [] : ['--only', only]),
    ...(jobs === undefined ? [] : ['--jobs', String(jobs)]),
    ...(memory === undefined ? [] : ['--memory', String(memory)]),
    ...(keepFailed === true ? ['--keep-failed'] : []),
    ...(keepGoing === true ? ['--keep-going'] : []),
    ...(command.options.json === true ? ['--json'] : []),
  ]
}
