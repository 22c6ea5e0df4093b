import { counted } from '../../base/format.ts'
import { namedSources } from '../../archive/named-sources.ts'
import { pruneMirror } from '../../fetch/mirror/prune.ts'
import type { CommandContext } from '../context.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `mirror prune`. */
export interface MirrorPruneFlags {
  /** Records of images, kits and layers.yaml files. */
  readonly keep: readonly string[]
  readonly dryRun?: boolean
}

/** `mirror prune FOLDER --keep FILE…`: removes what nothing that is to be kept names. */
export async function mirrorPruneCommand(
  command: CommandContext,
  folder: string,
  flags: MirrorPruneFlags,
): Promise<void> {
  const dryRun = flags.dryRun === true
  const keep = await namedSources(flags.keep)
  const pruned = await pruneMirror(folder, keep, { remove: !dryRun, signal: command.signal })
  const { unnamed, spared, kept } = pruned
  const done = dryRun ? 'would remove' : 'removed'
  const bytes = unnamed.reduce((sum, file) => sum + file.bytes, 0)
  await command.result(
    [
      ...unnamed.map(({ name }) => `${done} ${name}`),
      ...spared.map(({ name, reason }) => `left alone ${name}: ${reason}`),
      `${folder}: ${done} ${counted(unnamed.length, 'file')} (${formatBytes(bytes)}), kept ${kept}`,
    ],
    { type: 'mirror-pruned', folder, dryRun, ...pruned },
  )
}
