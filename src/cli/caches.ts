import type { SharedResults } from '../build/shared-results.ts'
import type { CacheContext, OpenCaches } from '../remote/open.ts'
import type { Store } from '../store/store.ts'
import type { CommandContext } from './context.ts'

/** Options of commands that use caches. */
export interface CacheFlags {
  /** False: no cache is used. */
  readonly cache?: boolean
  readonly offline?: boolean
}

/** What becomes of what a cache does not deliver to a build. */
const BUILT_HERE = 'what it does not deliver is built here'

/** Opens the caches of the configuration once, when they are first used. */
export type Caches = () => Promise<OpenCaches>

/**
 * The caches of the configuration; undefined where there are none, or none are to be used.
 * `outcome`: what becomes of what they do not deliver.
 */
export async function configuredCaches(
  command: CommandContext,
  store: Store,
  flags: CacheFlags,
  { outcome }: Pick<CacheContext, 'outcome'> = { outcome: BUILT_HERE },
): Promise<Caches | undefined> {
  const { cache } = await command.configuration()
  if (cache === undefined || flags.cache === false) return undefined
  const { emit, now } = command
  let open: Promise<OpenCaches> | undefined
  const offline = flags.offline ?? false
  return () =>
    (open ??= Promise.all([import('../remote/open.ts'), import('./program/version.ts')]).then(
      ([{ openCaches }, { engineName }]) =>
        openCaches(cache, { store, emit, now, engine: engineName(), offline, outcome }),
    ))
}

/** What others share, for a build. */
export function sharedBy(
  caches: Caches | undefined,
  store: Store,
): (() => Promise<SharedResults>) | undefined {
  if (caches === undefined) return undefined
  return async () => (await import('../remote/open.ts')).shareBy(await caches(), store)
}
