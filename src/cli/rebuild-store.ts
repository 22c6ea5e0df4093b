import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { removeTree, syncFolder } from '../base/files.ts'
import type { Installed } from '../store/installed.ts'
import { takeLock } from '../store/lock.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from './engine.ts'

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
 * Lets `use` build in a store beside the usual one: empty, or that of an interrupted rebuild of the same. It is removed when all was compared and
 * found the same. Once something was found to differ, the next rebuild begins anew. Fails with `rebuild-running`.
 */
export async function withRebuildStore(
  engine: Engine,
  { kind, digest, lower }: RebuildOf,
  use: (rebuild: RebuildStore) => Promise<void>,
): Promise<void> {
  const folder = `${(await engine.store()).root}-${kind}`
  const lockFile = `${folder}.lock`
  await writeFile(lockFile, '', { flag: 'a' })
  const lock = await takeLock(lockFile, { tryOnly: true })
  if (lock === undefined) {
    throw new FixpointError('usage', 'rebuild-running', `Cannot rebuild: another rebuild is under way in "${folder}"`)
  }
  const marker = join(folder, 'OF')
  try {
    const resumed = (await readFile(marker, 'utf8').catch(() => undefined)) === digest
    if (!resumed) {
      await remove(folder, marker)
      await mkdir(folder, { recursive: true })
      await writeFile(marker, digest)
    }
    const own = engine.beside(join(folder, 'store'), lower)
    try {
      await use({ own, store: await own.store(), folder, resumed })
    } catch (error) {
      if (error instanceof FixpointError && error.kind === 'notReproducible') await rm(marker, { force: true })
      throw error
    } finally {
      await own.closeStore()
    }
    await remove(folder, marker)
  } finally {
    await lock.release()
  }
}

/** The marker first, and for good: what is left when the power goes meanwhile is not taken for an interrupted rebuild. */
async function remove(folder: string, marker: string): Promise<void> {
  await rm(marker, { force: true })
  await syncFolder(folder).catch(() => undefined) // it may not be there
  await removeTree(folder)
}
