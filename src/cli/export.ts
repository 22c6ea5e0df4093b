import { copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { RecipeId } from '../base/events.ts'
import { makeFolder } from '../base/files.ts'
import { describeHost } from '../build/fingerprint.ts'
import type { Plan } from '../plan/plan.ts'
import type { Listing } from '../store/listing.ts'
import { listSeeds, type SourceFinder } from '../verify/list-seeds.ts'
import type { Engine } from './engine.ts'

/**
 * Puts the files of an image's artifact into `folder`, beside a fuller manifest than the one inside: keys, artifacts and times of all that
 * was built for it, the host, and for an image with a mirror what in that is not source code: `find` tells where the sources are. Resolves to the paths. Files that are there already, of the same artifact, are left alone.
 */
export async function exportImage(
  engine: Engine,
  plan: Plan,
  id: RecipeId,
  folder: string,
  find: SourceFinder,
): Promise<string[]> {
  const store = await engine.store()
  const artifact = plan.get(id)?.artifact
  if (artifact === undefined) throw new TypeError(`"${id}" is not built`)
  const files = (await store.listing(artifact)).filter((entry) => entry.type === 'file')
  const record = join(folder, `${id.split('/')[1] ?? ''}.json`)
  const paths = [...files.map(({ path }) => join(folder, path)), record]
  const recorded = await readRecord(record)
  const copied = recorded.artifact === artifact && (await present(files, folder))
  // The same bytes may come of other keys: the record tells of them, so it may be stale where the image is not.
  if (copied && sameKeys(recorded, plan, id)) return paths.map((path) => relative('', path))
  await makeFolder(folder)
  if (!copied) {
    await store.tree(artifact)
    for (const { path } of files) {
      const target = join(folder, path)
      await makeFolder(dirname(target))
      await copyFile(join(store.treePath(artifact), path), `${target}.part`)
      await rename(`${target}.part`, target)
    }
  }
  await writeFile(`${record}.part`, await describeImage(engine, plan, id, files, find))
  await rename(`${record}.part`, record)
  return paths.map((path) => relative('', path))
}

/** What an earlier export recorded, as far as it can be read. */
interface Recorded {
  readonly artifact?: string
  readonly recipes?: readonly { readonly recipe: RecipeId; readonly key: string }[]
}

async function readRecord(path: string): Promise<Recorded> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Recorded
  } catch {
    return {}
  }
}

function sameKeys({ recipes = [] }: Recorded, plan: Plan, id: RecipeId): boolean {
  const before = new Map(recipes.map(({ recipe, key }) => [recipe, key]))
  return [...usedBy(plan, id)].every((recipe) => before.get(recipe) === plan.get(recipe)?.key)
}

async function present(files: Listing, folder: string): Promise<boolean> {
  for (const entry of files) {
    const found = await stat(join(folder, entry.path)).catch(() => undefined)
    if (entry.type !== 'file' || found?.size !== entry.size) return false
  }
  return true
}

/** The manifest beside an image. Unlike the one inside, it tells of the host and of times, so it is in no artifact. */
async function describeImage(
  engine: Engine,
  plan: Plan,
  id: RecipeId,
  files: Listing,
  find: SourceFinder,
): Promise<string> {
  const store = await engine.store()
  const used = usedBy(plan, id)
  const recipes = [...plan.values()].flatMap(({ node, key, artifact }) => {
    if (key === undefined || !used.has(node.recipe.id)) return []
    const entry = store.index.find(engine.nameOf(key, node.recipe.host))
    const { durationMs, cpuMs, peakMemory, size } = entry ?? {}
    return [
      {
        recipe: node.recipe.id,
        version: node.recipe.version,
        key,
        artifact: artifact ?? entry?.artifact,
        durationMs,
        cpuMs,
        peakMemory,
        size,
      },
    ]
  })
  const { key, artifact, node } = plan.get(id) ?? {}
  const seeds = node?.mirror && (await listSeeds(node.mirror, find))
  const record = { recipe: id, key, artifact, files, host: describeHost(), recipes, seeds }
  return `${JSON.stringify(record, undefined, 1)}\n`
}

/** An image and all that it was built from, without what else was built with it. */
function usedBy(plan: Plan, image: RecipeId): ReadonlySet<RecipeId> {
  const used = new Set<RecipeId>()
  const pending = [image]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (used.has(id)) continue
    used.add(id)
    const node = plan.get(id)?.node
    if (node !== undefined) pending.push(...node.inputs, ...node.contents)
  }
  return used
}
