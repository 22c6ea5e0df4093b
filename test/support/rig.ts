import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished, vi } from 'vitest'
import { digestOf, type Digest } from '../../src/base/digest.ts'
import type { Event } from '../../src/base/events.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { removeTree } from '../../src/base/remove-tree.ts'
import type { BuildResult } from '../../src/build/build.ts'
import { adoptFile } from '../../src/store/adopt-file.ts'
import { treePath } from '../../src/store/local/layout.ts'
import type { Store } from '../../src/store/store.ts'
import { toyBuild, toyMetadata, toyStore, TOOLS, type ToyStore } from './toy.ts'

/** A recipe's name as the engine's types want it. */
export const id = (text: string): RecipeId => text as RecipeId

/** A store that is closed and removed with the test that asked for it. */
export async function freshStore(): Promise<ToyStore> {
  const toy = await toyStore(await mkdtemp(join(tmpdir(), 'fixpoint-test-')))
  onTestFinished(async () => {
    await toy.store.session.close()
    await removeTree(toy.folder)
  })
  return toy
}

/** Puts `data` into the store, as a fetch would, and resolves with its digest. */
export async function putBlob(store: Store, data: Uint8Array | string): Promise<Digest> {
  const path = await store.session.temporaryPath('blob')
  await writeFile(path, data)
  const digest = digestOf(data)
  await adoptFile(store.blobs, path, digest)
  return digest
}

/** Like {@link freshStore}, with the toy tools built already: once for the tests of a file. */
export function storesWithTools(): () => Promise<ToyStore> {
  const template = sharedStore()
  beforeAll(async () => {
    artifactOf(await toyBuild(template(), toyMetadata(TOOLS), [TOOLS.id]), TOOLS.id)
  })
  return async () => {
    const toy = await freshStore()
    for (const part of ['blobs', 'index', 'trees'])
      execFileSync('cp', ['-al', join(template().folder, part), toy.folder])
    return toy
  }
}

/** Another session on a store, as the next run of an engine has it; closed with the test. */
export async function nextSession(folder: string): Promise<ToyStore> {
  const toy = await toyStore(folder)
  onTestFinished(() => toy.store.session.close())
  return toy
}

/** One store for all tests of a file. */
export function sharedStore(): () => ToyStore {
  let toy: ToyStore | undefined
  beforeAll(async () => {
    toy = await toyStore(await mkdtemp(join(tmpdir(), 'fixpoint-test-')))
  })
  afterAll(async () => {
    await toy?.store.session.close()
    if (toy !== undefined) await removeTree(toy.folder)
  })
  return () => {
    if (toy === undefined) throw new Error('asked for before the tests began')
    return toy
  }
}

/** The artifact of a recipe after a build that went well. */
export function artifactOf(result: BuildResult, recipe: string): Digest {
  const failure = [...result.failures.values()][0]
  if (failure !== undefined) throw new Error(`${recipe} was not built`, { cause: failure })
  const artifact = result.plan.get(id(recipe))?.artifact
  if (artifact === undefined) throw new Error(`${recipe} has no artifact`)
  return artifact
}

/** What became of the recipe that failed; its code is what tests compare. */
export function failureOf(
  result: BuildResult,
  recipe: string,
): Error & { code?: string; kind?: string; hint?: string } {
  const failure = result.failures.get(id(recipe))
  if (!(failure instanceof Error)) throw new Error(`${recipe} did not fail`)
  return failure
}

/** The events of one type, in their order. */
export function eventsOf<Type extends Event['type']>(
  events: readonly Event[],
  type: Type,
): Extract<Event, { type: Type }>[] {
  return events.filter((event): event is Extract<Event, { type: Type }> => event.type === type)
}

/** Ids of the processes whose command line holds `text`. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(text)
      )
    } catch {
      return false // ended meanwhile
    }
  })
}

/**
 * Resolves once `condition` holds; for what no event tells of. Fails after two minutes: the tests
 * of a busy machine take long.
 */
export function waitUntil(condition: () => boolean): Promise<void> {
  return vi.waitFor(
    () => {
      if (!condition()) throw new Error('it did not come to be')
    },
    { timeout: 120_000, interval: 5 },
  )
}

/** Text of a file of a recipe's artifact. */
export async function readArtifact(
  { store }: ToyStore,
  result: BuildResult,
  recipe: string,
  path: string,
): Promise<string> {
  const digest = artifactOf(result, recipe)
  await store.trees.unpack(digest)
  return readFileSync(join(treePath(store.root, digest), path), 'utf8')
}
