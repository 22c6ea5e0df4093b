import { FixpointError } from '../base/error.ts'
import type { RemoteExecutor } from '../build/executor.ts'
import type { Store } from '../store/store.ts'
import type { CommandContext } from './context.ts'

/** Options of commands that may have actions run elsewhere. */
export interface RemoteFlags {
  /** Everything runs here. */
  readonly local?: boolean
  /** Nothing runs here but what sees the host. */
  readonly remoteOnly?: boolean
}

/**
 * Opens the server of the configuration that runs actions; undefined where there is none, or it is
 * not to be used. Fails with `no-remote`.
 */
export async function configuredRemote(
  command: CommandContext,
  store: Store,
  { local = false, remoteOnly = false }: RemoteFlags,
): Promise<(() => Promise<RemoteExecutor>) | undefined> {
  const { remote } = await command.configuration()
  if (remote === undefined && remoteOnly)
    throw new FixpointError('no-remote', 'Cannot build elsewhere: no server is configured')
  if (remote === undefined || local) return undefined
  const { emit, now } = command
  return async () => {
    const { openRemote } = await import('../remote/execution/open.ts')
    return openRemote(remote, { store, emit, now, only: remoteOnly })
  }
}
