import { restoreKit } from '../../archive/restore.ts'
import type { CommandContext } from '../context.ts'

/** Options of `archive restore`. */
export interface RestoreFlags {
  readonly to: string
  readonly sources?: boolean
}

/** `archive restore KIT --to FOLDER`: makes a place to build in. */
export async function archiveRestoreCommand(
  command: CommandContext,
  kit: string,
  { to, sources }: RestoreFlags,
): Promise<void> {
  const restored = await restoreKit({
    kit,
    to,
    sources: sources === true,
    signal: command.signal,
    onPart: (message) => command.emit({ type: 'phase', at: command.now(), message }),
  })
  await command.result(
    [
      `restored from ${restored.image}: the engine is "${to}/fixpoint", the recipes are in ` +
        `"${to}/checkout"`,
      `sources: ${restored.sources}`,
    ],
    { type: 'restored', folder: to, ...restored },
  )
}
