import { closeSync, constants, mkdirSync } from 'node:fs'
import { copyFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { beneath, Folder } from '../base/beneath.ts'
import { digestOf, digestOfFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode, explainDiskFull, makeFolder } from '../base/files.ts'
import { byCodeUnit } from '../base/order.ts'
import { readRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'
import { describeHost } from '../build/fingerprint.ts'
import { reachable, usedBy } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import type { Listing } from '../store/listing.ts'
import { listSeeds, type SourceFinder } from '../verify/list-seeds.ts'
import type { Engine } from '../cli/engine.ts'
import { LARGEST_RECORD } from './record.ts'

/** How the name of the record beside an image ends. */
const RECORD = '.json'

/**
 * Puts the files of an image's artifact into `folder`, beside a fuller manifest than the one
 * inside: keys, artifacts and times of all that was built for it, the host, and for an image with a
 * mirror what in that is not source code: `find` tells where the sources are. Resolves to the
 * paths. Files that are there already, of the same artifact, are left alone; their bytes are looked
 * at when they were written to after the record was.
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
  const recordName = `${id.split('/')[1] ?? ''}${RECORD}`
  if (files.some(({ path }) => path === recordName)) {
    throw new FixpointError(
      'buildFailed',
      'record-in-the-way',
      `Cannot put ${id} into "${folder}": "${recordName}" of its artifact has the name of the record beside it`,
    )
  }
  const record = join(folder, recordName)
  const paths = [...files.map(({ path }) => join(folder, path)), record]
  if (!(await isStale(record, artifact, files, plan, id)))
    return paths.map((path) => relative('', path))
  await makeFolder(folder)
  // Several engines may be told to put an image there.
  const lock = await store.lock(`export-${digestOf(await realpath(folder))}`, {
    signal: engine.signal,
  })
  try {
    // The same bytes may come of other keys: the record tells of them, so it may be stale where the
    // image is not.
    const stale = await isStale(record, artifact, files, plan, id)
    if (stale === 'image') {
      await store.tree(artifact)
      for (const { path } of files) await putWhole(store.treePath(artifact), path, folder, path)
    }
    if (stale !== undefined) {
      const text = await describeImage(engine, plan, id, files, find)
      await whole(folder, recordName, (part) => writeFile(part, text, { flag: 'wx' }))
    }
  } finally {
    await lock?.release()
  }
  return paths.map((path) => relative('', path))
}

/**
 * Copies what {@link exportImage} put into the folder `name` of `data` into another, the record
 * last.
 */
export async function copyExported(data: string, name: string, to: string): Promise<void> {
  const paths = beneath(data, name, filesIn).sort(
    (a, b) => Number(a.endsWith(RECORD)) - Number(b.endsWith(RECORD)) || byCodeUnit(a, b),
  )
  for (const path of paths) await putWhole(data, `${name}/${path}`, to, path)
}

/** Paths of all regular files in the folder `name`, relative to it. */
function filesIn(parent: Folder, name: string): string[] {
  const folder = parent.folder(name)
  try {
    return folder.names().flatMap((bytes) => {
      const entry = bytes.toString()
      const found = folder.stat(entry)
      if (found?.isDirectory()) return filesIn(folder, entry).map((path) => `${entry}/${path}`)
      return found?.isFile() ? [entry] : []
    })
  } finally {
    folder.close()
  }
}

/**
 * What in a folder is not that of an image's artifact, as it is recorded there: the image, only the
 * record, or nothing.
 */
async function isStale(
  record: string,
  artifact: Digest,
  files: Listing,
  plan: Plan,
  id: RecipeId,
): Promise<'image' | 'record' | undefined> {
  const recorded = await readRecord(record)
  if (recorded?.artifact !== artifact || !(await present(files, record))) return 'image'
  return sameKeys(recorded, plan, id) ? undefined : 'record'
}

/** Copies a file from below one root to below another; no link below either is followed. */
async function putWhole(fromRoot: string, from: string, toRoot: string, to: string): Promise<void> {
  const fd = beneath(fromRoot, from, (folder, name) => folder.read(name))
  try {
    await whole(toRoot, to, (part) =>
      copyFile(`/proc/self/fd/${String(fd)}`, part, constants.COPYFILE_EXCL),
    )
  } finally {
    closeSync(fd)
  }
}

/**
 * Lets `put` make a file beside its place below `root`, then moves it there: whole or not at all. A
 * link in its place is replaced.
 */
async function whole(
  root: string,
  path: string,
  put: (part: string) => Promise<void>,
): Promise<void> {
  const parts = path.split('/')
  const name = parts.pop() ?? ''
  const folder = folderBelow(root, parts)
  const part = folder.at(`${name}.part`)
  try {
    await rm(part, { force: true })
    await put(part)
    await rename(part, folder.at(name))
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined)
    const inTheWay = ['EISDIR', 'ERR_FS_EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(
      errorCode(error) ?? '',
    )
    const reason = inTheWay ? 'a folder is in the way' : systemReason(error)
    if (reason === undefined) throw explainDiskFull(error, folder.shown)
    throw new FixpointError(
      'hostUnfit',
      'host-refuses',
      `Cannot write "${folder.shown}/${name}": ${reason}`,
      {
        cause: error,
      },
    )
  } finally {
    folder.close()
  }
}

/** Opens a folder below `root`, and makes what is missing of it; the caller closes it. */
function folderBelow(root: string, parts: readonly string[]): Folder {
  let folder = Folder.open(root)
  for (const part of parts) {
    const parent = folder
    try {
      if (parent.stat(part) === undefined) mkdirSync(parent.at(part))
      folder = parent.folder(part)
    } finally {
      parent.close()
    }
  }
  return folder
}

/** What an earlier export recorded, as far as it matters here. */
const recordSchema = z.object({
  artifact: z.string(),
  recipes: z.array(z.object({ recipe: z.string(), key: z.string() })),
})

type Recorded = z.infer<typeof recordSchema>

async function readRecord(path: string): Promise<Recorded | undefined> {
  try {
    const text = await readRegular(path, LARGEST_RECORD, 'follow')
    return text === undefined ? undefined : recordSchema.parse(JSON.parse(text))
  } catch {
    return undefined // none, or not one of ours
  }
}

function sameKeys({ recipes }: Recorded, plan: Plan, id: RecipeId): boolean {
  const before = new Map(recipes.map(({ recipe, key }) => [recipe, key]))
  return [...partsOf(plan, id)].every((recipe) => before.get(recipe) === plan.get(recipe)?.key)
}

/**
 * Whether the files beside a record are as they are listed. One that was written to after the
 * record, as by a machine that ran from it, is read whole.
 */
async function present(files: Listing, record: string): Promise<boolean> {
  const { mtimeMs: recordedAt } = await stat(record)
  for (const entry of files) {
    const path = join(dirname(record), entry.path)
    const found = await stat(path).catch(() => undefined)
    if (entry.type !== 'file' || found?.isFile() !== true || found.size !== entry.size) return false
    if (found.mtimeMs > recordedAt && (await digestOfFile(path)) !== entry.sha256) return false
  }
  return true
}

/**
 * The manifest beside an image. Unlike the one inside, it tells of the host and of times, so it is
 * in no artifact.
 */
async function describeImage(
  engine: Engine,
  plan: Plan,
  id: RecipeId,
  files: Listing,
  find: SourceFinder,
): Promise<string> {
  const store = await engine.store()
  const used = partsOf(plan, id)
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
  if (node?.mirror !== undefined) {
    engine.emit({ type: 'seeds-start', at: engine.now(), recipe: id, sources: node.mirror.length })
    await engine.settle() // nothing else is shown meanwhile
  }
  const seeds = node?.mirror && (await listSeeds(node.mirror, find))
  const record = { recipe: id, key, artifact, files, host: describeHost(), recipes, seeds }
  return `${JSON.stringify(record, undefined, 1)}\n`
}

/** An image and all that it was built from, without what else was built with it. */
function partsOf(plan: Plan, image: RecipeId): ReadonlySet<RecipeId> {
  return reachable([image], (id) => {
    const node = plan.get(id)?.node
    return node === undefined ? [] : usedBy(node)
  })
}
