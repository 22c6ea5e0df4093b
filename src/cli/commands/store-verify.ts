import { FixpointError } from '../../base/error.ts'
import { verifyStore } from '../../store/verify-store.ts'
import type { CommandContext } from '../context.ts'

/** `store verify`: hashes everything in the store; exit code 4 when something is damaged. */
export async function storeVerifyCommand(command: CommandContext): Promise<void> {
  const store = await command.store()
  // What a power cut has torn is no damage. A store that cannot be written is read as it is.
  await store.session.sweep().catch(() => undefined)
  const faults = await verifyStore(store)
  for (const { what, digest, reason } of faults) {
    await command.result([`${what} ${digest}: ${reason}`], {
      type: 'damaged',
      what,
      digest,
      reason,
    })
  }
  if (faults.length === 0) {
    await command.result(['every blob and tree is what its name says'], { type: 'sound' })
    return
  }
  throw new FixpointError(
    'store-damaged',
    `Found ${String(faults.length)} damaged parts of the store`,
  )
}
