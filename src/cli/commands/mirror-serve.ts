import { describeMirrorFault, type MirrorFault } from '../../fetch/mirror/faults.ts'
import { serveMirror } from '../../fetch/mirror/serve.ts'
import type { CommandContext } from '../context.ts'

/** Options of `mirror serve`. */
export interface MirrorServeFlags {
  readonly address: string
  readonly port: number
}

/** `mirror serve FOLDER`: serves a mirror by HTTP until it is interrupted. */
export async function mirrorServeCommand(
  command: CommandContext,
  folder: string,
  { address: host, port }: MirrorServeFlags,
): Promise<void> {
  const onFault = (fault: MirrorFault): void => {
    void command.result([describeMirrorFault(fault)], { type: 'fault', ...fault })
  }
  const served = await serveMirror(folder, { host, port }, onFault, command.signal)
  const { address } = served
  await command.result([`${folder}: served at ${address}`, 'Ctrl-C ends it'], {
    type: 'mirror-served',
    folder,
    address,
  })
  command.endByInterrupt()
  await served.ended
}
