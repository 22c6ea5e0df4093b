import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { hostFingerprint } from '../../src/build/fingerprint.ts'
import { indexNamer, planOn } from '../../src/store/plan-view.ts'
import { readConfig } from '../../src/cli/config.ts'
import { resolveTarget } from '../../src/cli/targets.ts'
import { readDisk } from '../../src/image/disk.ts'
import { loadMetadata } from '../../src/metadata/load.ts'
import { graphOf } from '../../src/plan/graph.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { blobPath, treePath } from '../../src/store/local/layout.ts'
import { Store } from '../../src/store/store.ts'

const indexName = indexNamer(hostFingerprint)

/**
 * Path of an image of the layers here, when the user's store holds it as the recipes are now;
 * undefined otherwise. Builds nothing.
 */
export async function storedImage(name: string): Promise<string | undefined> {
  const tree = await storedTree(name)
  return tree === undefined ? undefined : join(tree, `${name}.img`)
}

/**
 * The folder that a recipe's artifact is unpacked in, when the user's store holds it as the recipes
 * are now. Builds nothing.
 */
export function storedTree(name: string): Promise<string | undefined> {
  return lookUp(name, async (id, current, store) => {
    const artifact = artifactIn(current, id)
    if (artifact === undefined) return undefined
    await store.trees.unpack(artifact)
    return treePath(store.root, artifact)
  })
}

/** An artifact as it lies in the user's store. */
export interface StoredArtifact {
  readonly recipe: RecipeId
  /** Path of its tar. */
  readonly blob: string
  /** Path of the record that was made when it was built. */
  readonly record: string
}

/**
 * All artifacts above the host layers that an image was built from, when the user's store holds the
 * image; otherwise none.
 */
export function storedArtifacts(name: string): Promise<StoredArtifact[]> {
  return lookUp(name, (id, current, store) =>
    artifactIn(current, id) === undefined
      ? []
      : [...current.values()].flatMap(({ node: { recipe }, key, artifact }) =>
          recipe.host ||
          recipe.image ||
          key === undefined ||
          artifact === undefined ||
          !store.blobs.has(artifact)
            ? []
            : [
                {
                  recipe: recipe.id,
                  blob: blobPath(store.root, artifact),
                  record: join(store.root, 'index', indexName(key, false)),
                },
              ],
        ),
  )
}

/** A source as it lies in an image's mirror. */
export interface MirroredSource {
  readonly bytes: Buffer
  /** Where the mirror's partition starts in the image. */
  readonly partition: number
}

/** The source whose name begins with `name` in the mirror of the image in a file. */
export async function mirroredSource(file: string, name: string): Promise<MirroredSource> {
  const partition = (await readDisk(file)).partitions.find((part) => part.name === 'mirror')!.start
  const unsquashfs = (...words: string[]): Buffer =>
    execFileSync('unsquashfs', ['-o', String(partition), ...words], { maxBuffer: 2 ** 30 })
  const root = 'squashfs-root/'
  const paths = unsquashfs('-ls', file).toString().split('\n')
  const path = paths.find((line) => line.startsWith(root + name))
  if (path === undefined) throw new Error(`the mirror of ${file} has no ${name}`)
  return { bytes: unsquashfs('-cat', file, path.slice(root.length)), partition }
}

function artifactIn(current: Plan, id: RecipeId) {
  const found = current.get(id)
  return found?.state === 'stored' ? found.artifact : undefined
}

async function lookUp<T>(
  name: string,
  use: (id: RecipeId, current: Plan, store: Store) => T | Promise<T>,
): Promise<T> {
  const metadata = await loadMetadata(
    fileURLToPath(new URL('../../layers/layers.yaml', import.meta.url)),
  )
  const id = resolveTarget(metadata, name)
  const store = await Store.open((await readConfig()).store, {
    emit: () => undefined,
    now: () => performance.now(),
  })
  try {
    return await use(id, planOn({ store, indexName }, graphOf(metadata, [id]), [id]), store)
  } finally {
    await store.session.close()
  }
}
