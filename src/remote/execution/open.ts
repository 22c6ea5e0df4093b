import type { RemoteExecutor } from '../../build/executor.ts'
import { connect } from './connection.ts'
import { LIMITS, type RemoteLimits } from './limits.ts'
import { RemoteActions, type RemoteContext } from './remote-actions.ts'
import type { RemoteSettings } from './settings.ts'

/**
 * Opens what the settings name; asks no server. Fails with `remote-certificate` or `remote-token`.
 */
export async function openRemote(
  settings: RemoteSettings,
  context: RemoteContext,
  limits: Partial<RemoteLimits> = {},
): Promise<RemoteExecutor> {
  const unique = await context.store.session.folder()
  const connection = await connect(settings, { ...LIMITS, ...limits }, unique)
  return new RemoteActions(settings, connection, context)
}
