import { requireSandbox } from '../sandbox/probe.ts'
import { requireClock } from './clock.ts'
import { requireOwnStore } from './store-owner.ts'

/**
 * Makes sure that actions can run on this host, in the store below `root`. Fails with
 * `clock-behind`, `store-owner`, or as {@link requireSandbox} does.
 */
export async function requireHost(root: string): Promise<void> {
  requireClock()
  requireSandbox()
  await requireOwnStore(root)
}
