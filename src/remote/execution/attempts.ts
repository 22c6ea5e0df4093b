import { sleep } from '../../fetch/sleep.ts'
import { RemoteFault } from './fault.ts'
import type { RemoteLimits } from './limits.ts'

/** Does `work` again, after some time, as long as the server was only lost. */
export async function attempts<T>(
  { delays }: Pick<RemoteLimits, 'delays'>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      const delay = delays[attempt]
      if (!(error instanceof RemoteFault) || error.kind !== 'lost' || delay === undefined)
        throw error
      await sleep(delay, signal)
    }
  }
}
