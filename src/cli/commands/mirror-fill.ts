import { combineFailures } from '../../base/error.ts'
import { counted } from '../../base/format.ts'
import { fillMirror } from '../../fetch/mirror/fill.ts'
import { buildContext, findSources } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { targetSources } from '../target-sources.ts'

/** Options of `mirror create` and `mirror update`. */
export interface MirrorFillFlags {
  readonly offline?: boolean
  readonly from?: readonly string[]
}

/** `mirror create FOLDER [TARGET…]`: makes a mirror of the sources; goes on with a killed one. */
export function mirrorCreateCommand(
  command: CommandContext,
  folder: string,
  words: readonly string[],
  flags: MirrorFillFlags,
): Promise<void> {
  return fill(command, { folder, before: 'mirror-or-empty', words }, flags)
}

/** `mirror update FOLDER [TARGET…]`: adds the sources that a mirror does not have. */
export function mirrorUpdateCommand(
  command: CommandContext,
  folder: string,
  words: readonly string[],
  flags: MirrorFillFlags,
): Promise<void> {
  return fill(command, { folder, before: 'mirror', words }, flags)
}

async function fill(
  command: CommandContext,
  {
    folder,
    before,
    words,
  }: {
    readonly folder: string
    readonly before: 'mirror' | 'mirror-or-empty'
    readonly words: readonly string[]
  },
  { from, offline }: MirrorFillFlags,
): Promise<void> {
  const sources = await targetSources(command, words)
  const context = await buildContext(command, {
    ...(from && { mirror: from }),
    ...(offline !== undefined && { offline }),
  })
  const { signal } = command
  const find = findSources(command, context)
  const filled = await fillMirror({ folder, sources, find, before, signal })
  const { files, copied, missing, failures } = filled
  await command.result(
    [
      `${folder}: ${files - missing.length} of ${counted(files, 'source file')}, ` +
        `${copied} copied now`,
    ],
    { type: 'mirror-filled', folder, files, copied, missing },
  )
  if (failures.length > 0) throw combineFailures(failures)
}
