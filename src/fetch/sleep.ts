import { setTimeout as wait } from 'node:timers/promises'

/** Waits between attempts; rejects with the signal's reason when that aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
