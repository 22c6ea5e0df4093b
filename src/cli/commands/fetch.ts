import { combineFailures } from '../../base/error.ts'
import { graphOf } from '../../plan/graph.ts'
import type { Engine } from '../engine.ts'
import { resolveTargets } from '../targets.ts'
import { buildContext } from './build.ts'

/** Options of `fetch`. */
export interface FetchFlags {
  readonly offline?: boolean
  readonly from?: readonly string[]
}

/** `fetch [TARGET…]`: puts every source of the targets' graph into the store. Tries all before it reports what it could not get. */
export async function fetchCommand(
  engine: Engine,
  words: readonly string[],
  { from, offline }: FetchFlags,
): Promise<void> {
  const metadata = await engine.metadata()
  const targets = words.length > 0 ? resolveTargets(metadata, words) : [...metadata.recipes.keys()]
  const { fetcher } = await buildContext(engine, {
    ...(from && { mirror: from }),
    ...(offline !== undefined && { offline }),
  })
  const sources = [...graphOf(metadata, targets).nodes.values()]
    .flatMap(({ recipe }) => recipe.sources)
    .filter((source) => source.kind === 'file')
  const results = await Promise.allSettled(sources.map((source) => fetcher.fetch(source, engine.signal)))
  engine.signal.throwIfAborted()
  const failures: unknown[] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  if (failures.length > 0) throw combineFailures(failures)
  const count = new Set(sources.map(({ sha256 }) => sha256)).size
  await engine.result([`sources in the store: ${String(count)}`], { type: 'fetched', sources: count })
}
