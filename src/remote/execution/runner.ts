import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { Store } from '../../store/store.ts'
import { blobOf, fileBlob, type Blob } from './blob.ts'
import { engineFile } from './engine-file.ts'
import { PROGRAMS } from './worker/document.ts'

/** The programs that run an action on a worker: by name, executable. */
export interface Runner {
  readonly programs: ReadonlyMap<string, Blob>
  /** The engine itself, for node. */
  readonly engine: Blob
}

/** Static programs that recipes make, and their paths in the recipes' artifacts. */
const MADE: readonly (readonly [name: string, recipe: string, path: string])[] = [
  ['busybox', 'toolchain/busybox', 'usr/bin/busybox'],
  ['bwrap', 'runtime/bubblewrap', 'usr/bin/bwrap'],
  ['node', 'runtime/node', 'usr/bin/node'],
]

/** Programs that a folder may have besides. */
const OTHERS = PROGRAMS.filter((program) => MADE.every(([name]) => name !== program))

/**
 * What runs an action on a worker: programs from `folder`, or the newest that the store has of
 * their recipes. Fails with `remote-runner`.
 */
export async function findRunner(folder: string | undefined, store: Store): Promise<Runner> {
  const programs = new Map<string, Blob>()
  for (const [name, recipe, path] of MADE) {
    const file =
      folder === undefined
        ? join(await newestTree(recipe as RecipeId, store), path)
        : join(folder, name)
    const program = await programAt(file)
    if (program === undefined) throw lacking(`"${file}" cannot be executed`)
    programs.set(name, program)
  }
  for (const name of folder === undefined ? [] : OTHERS) {
    const program = await programAt(join(folder ?? '', name))
    if (program !== undefined) programs.set(name, program)
  }
  return { programs, engine: blobOf(engineFile()) }
}

async function programAt(path: string): Promise<Blob | undefined> {
  try {
    await access(path, constants.X_OK)
    return await fileBlob(await digestOfFile(path), path)
  } catch {
    return undefined
  }
}

async function newestTree(recipe: RecipeId, store: Store): Promise<string> {
  for (const { name } of store.index.history(recipe).toReversed()) {
    const artifact = store.index.artifactOf(name)
    if (artifact !== undefined && store.blobs.has(artifact))
      return (await store.trees.unpack(artifact)).folder
  }
  throw lacking(`the store has no ${recipe}`)
}

function lacking(reason: string): FixpointError {
  return new FixpointError('remote-runner', `Cannot have workers run actions: ${reason}`)
}
