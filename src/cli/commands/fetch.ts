import { combineFailures } from '../../base/error.ts'
import type { CommandContext } from '../context.ts'
import { targetSources } from '../target-sources.ts'
import { buildContext } from '../build-targets.ts'

/** Options of `fetch`. */
export interface FetchFlags {
  readonly offline?: boolean
  readonly from?: readonly string[]
}

/**
 * `fetch [TARGET…]`: puts every source of the targets' graph into the store. Tries all before it
 * reports what it could not get.
 */
export async function fetchCommand(
  command: CommandContext,
  words: readonly string[],
  { from, offline }: FetchFlags,
): Promise<void> {
  const sources = await targetSources(command, words)
  const context = await buildContext(command, {
    ...(from && { mirror: from }),
    ...(offline !== undefined && { offline }),
  })
  const results = await Promise.allSettled(
    sources.map((source) => context.fetcher.fetch(source, command.signal)),
  )
  command.signal.throwIfAborted()
  const failures: unknown[] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  if (failures.length > 0) throw combineFailures(failures)
  const count = new Set(sources.map(({ sha256 }) => sha256)).size
  await command.result([`source files in the store: ${String(count)}`], {
    type: 'fetched',
    sources: count,
  })
}
