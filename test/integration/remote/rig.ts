import { join } from 'node:path'
import type { BuildOptions } from '../../../src/build/build-context.ts'
import type { BuildResult } from '../../../src/build/build.ts'
import type { SharedResults } from '../../../src/build/shared-results.ts'
import type { Metadata, Recipe } from '../../../src/metadata/model.ts'
import { makeKey, parseSigner, readKey, type SigningKey } from '../../../src/remote/keys.ts'
import {
  openCaches,
  shareBy,
  type CacheContext,
  type CacheSettings,
} from '../../../src/remote/open.ts'
import { id } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS, type ToyStore } from '../../support/toy.ts'

/** A signer, and the file with its key. */
export interface TestKey {
  readonly path: string
  readonly line: string
  readonly key: SigningKey
}

export async function newKey(name: string): Promise<TestKey> {
  const path = join(await temporaryFolder(), name)
  const line = await makeKey(path)
  return { path, line, key: await readKey(path) }
}

export function settings(change: Partial<CacheSettings>): CacheSettings {
  const none = { read: [], signers: [], need: 1, write: undefined, key: undefined }
  return { ...none, token: undefined, certificate: undefined, ...change }
}

/** Reads what these keys sign. */
export function reading(
  places: readonly string[],
  keys: readonly TestKey[],
  need = 1,
): CacheSettings {
  return settings({ read: places, signers: keys.flatMap(({ line }) => parseSigner(line)!), need })
}

export function writing(place: string, { path }: TestKey): CacheSettings {
  return settings({ write: place, key: path })
}

/** Time limits that a test can wait for. */
export const SHORT = { connectMs: 1_000, idleMs: 500, delays: [1] }

/** Opens caches for a toy store. */
export async function openFor(
  { store, emit }: ToyStore,
  chosen: CacheSettings,
  limits: CacheContext['limits'] = { delays: [1] },
): Promise<SharedResults> {
  const context = {
    store,
    emit,
    now: () => performance.now(),
    engine: 'test 1',
    offline: false,
    outcome: undefined,
  }
  return shareBy(await openCaches(chosen, { ...context, limits }), store)
}

export function buildWith(
  toy: ToyStore,
  metadata: Metadata,
  targets: readonly string[],
  chosen: CacheSettings | undefined,
  options: Partial<BuildOptions> = {},
  limits?: CacheContext['limits'],
): Promise<BuildResult> {
  const shared = chosen && (() => openFor(toy, chosen, limits))
  return toyBuild(toy, metadata, targets, options, { shared })
}

/** A recipe that installs one file with `text`, after what it uses. */
export function toy(name: string, text: string, uses: readonly string[] = []): Recipe {
  return toyRecipe(
    `base/${name}`,
    `mkdir -p $OUT/usr/share; echo ${text} > $OUT/usr/share/${name}`,
    { inputs: [id('host/tools'), ...uses.map((use) => id(`base/${use}`))] },
  )
}

export const toys = (...recipes: readonly Recipe[]): Metadata => toyMetadata(TOOLS, ...recipes)
