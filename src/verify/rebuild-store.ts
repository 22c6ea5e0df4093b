import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import type { Installed } from '../store/installed.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from '../cli/engine.ts'
import { withResumable } from '../store/resumable.ts'

/** The store that a rebuild builds in, and an engine on it. */
export interface RebuildStore {
  readonly own: Engine
  readonly store: Store
  /** Where it lies. */
  readonly folder: string
  /** True when it is that of an interrupted rebuild of the same. */
  readonly resumed: boolean
}

/** What a rebuild is known by. */
export interface RebuildOf {
  /** Rebuilds of another kind have a store of their own. */
  readonly kind: 'rebuild' | 'rebuild-only'
  /** Tells one from another of its kind. */
  readonly digest: Digest
  /** What is taken from the installed root. */
  readonly lower: Installed
}

/**
 * Lets `use` build in a store beside the usual one: empty, or that of an interrupted rebuild of the
 * same. It is removed when all was compared and found the same. Once something was found to differ,
 * the next rebuild begins anew. Fails with `rebuild-running`.
 */
export async function withRebuildStore(
  engine: Engine,
  { kind, digest, lower }: RebuildOf,
  use: (rebuild: RebuildStore) => Promise<void>,
): Promise<void> {
  const folder = `${(await engine.store()).root}-${kind}`
  await withResumable(folder, digest, async (resumed) => {
    const own = engine.beside(join(folder, 'store'), lower)
    try {
      await use({ own, store: await own.store(), folder, resumed })
    } finally {
      await own.closeStore()
    }
  })
}
