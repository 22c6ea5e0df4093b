import { basename, dirname, join } from 'node:path'
import { canonicalJson } from '../../base/canonical.ts'
import type { Digest } from '../../base/digest.ts'
import { combineFailures, FixpointError } from '../../base/error.ts'
import { isFileOrDisk } from '../../base/files.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { SourceFinder } from '../../fetch/find-source.ts'
import { SUMS } from '../../fetch/mirror/list.ts'
import type { ImageRecord, RecordedImage } from '../../image/read-record.ts'
import { RECORD_SUFFIX, recordsKeysOf } from '../../image/record.ts'
import { fetchedSources } from '../../metadata/model.ts'
import { mirrorFiles } from '../../plan/action-document.ts'
import { reachable, usedBy } from '../../plan/graph.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Store } from '../../store/store.ts'
import type { KitFile } from './bag.ts'
import { KIT } from './layout.ts'
import { FRONT, toolFiles } from './tools.ts'

/** What the contents of a kit come from. */
export interface Supplies {
  readonly store: Store
  readonly find: SourceFinder
  /** A plan in which every image is stored. */
  readonly plan: Plan
  readonly signal: AbortSignal
}

/** Everything that a kit of some images holds below its folder `data`. */
export interface Contents {
  readonly files: readonly KitFile[]
  readonly images: readonly { readonly name: string; readonly sha256: Digest }[]
  readonly sources: number
  /** Whether an engine that runs by itself is among the files. */
  readonly tools: boolean
}

/**
 * Gathers what a kit of these images holds: images and records, all sources, the documents of all
 * actions, the recipes and the tools. Nothing is copied yet. Fails with `kit-other-layers` when the
 * layers in effect would build other images, and as {@link SourceFinder} does for sources that
 * cannot be had.
 */
export async function gather(
  images: readonly RecordedImage[],
  supplies: Supplies,
): Promise<Contents> {
  const { plan } = supplies
  const used = new Set(images.flatMap(({ path, record }) => [...recipesOf(path, record, plan)]))
  const own = images.flatMap(imageFiles)
  await requireFiles(own)
  const sources = await sourceFiles(used, supplies)
  const tools = await toolFiles(plan, supplies)
  return {
    files: [...own, ...sources, ...documentFiles(used, plan), ...tools],
    images: own
      .filter(({ path }) => !path.endsWith(RECORD_SUFFIX) && !path.endsWith('.sha256'))
      .map(({ path, sha256 }) => ({ name: path.slice(KIT.images.length + 1), sha256 }))
      .flatMap(({ name, sha256 }) => (sha256 === undefined ? [] : [{ name, sha256 }])),
    sources: sources.length - 1,
    tools: tools.some(({ path }) => path === FRONT),
  }
}

/** The recipes that an image was built from. Fails with `kit-other-layers`. */
function recipesOf(path: string, record: ImageRecord, plan: Plan): ReadonlySet<RecipeId> {
  const id = record.recipe as RecipeId
  if (!plan.has(id) || !recordsKeysOf(record, plan, id))
    throw new FixpointError(
      'kit-other-layers',
      `Cannot make a kit of "${path}": the layers in effect build another image ${record.recipe}`,
    )
  return reachable([id], (recipe) => {
    const node = plan.get(recipe)?.node
    return node === undefined ? [] : usedBy(node)
  })
}

/** Fails with `kit-input`, naming every file that is missing. */
async function requireFiles(files: readonly { readonly from: string }[]): Promise<void> {
  const failures: FixpointError[] = []
  for (const { from } of files)
    if (!(await isFileOrDisk(from)))
      failures.push(
        new FixpointError('kit-input', `Cannot put "${from}" into the kit: there is no such file`),
      )
  if (failures.length > 0) throw combineFailures(failures)
}

function imageFiles({
  path,
  record,
}: RecordedImage): (KitFile & { from: string; sha256?: Digest })[] {
  const folder = dirname(path)
  return [
    ...record.files.map((file) => ({
      path: `${KIT.images}/${file.path}`,
      from: join(folder, file.path),
      sha256: file.sha256,
    })),
    { path: `${KIT.images}/${basename(path)}`, from: path },
  ]
}

/** The sources as a mirror folder. */
async function sourceFiles(
  used: ReadonlySet<RecipeId>,
  { plan, find, signal }: Supplies,
): Promise<KitFile[]> {
  const sources = [...used].flatMap((id) => fetchedSources(plan.get(id)?.node.recipe.sources ?? []))
  const byDigest = new Map(sources.map((source) => [source.sha256, source]))
  const names = mirrorFiles(sources)
  const files: KitFile[] = []
  const failures: unknown[] = []
  for (const { name, digest } of names) {
    signal.throwIfAborted()
    const source = byDigest.get(digest)
    if (source === undefined) continue
    await find(source).then(
      (from) => files.push({ path: `${KIT.sources}/${name}`, from, sha256: digest }),
      (error: unknown) => failures.push(error),
    )
  }
  signal.throwIfAborted()
  if (failures.length > 0) throw combineFailures(failures)
  const sums = names.map(({ name, digest }) => `${digest}  ${name}\n`).join('')
  return [...files, { path: `${KIT.sources}/${SUMS}`, text: sums }]
}

/** The documents of all actions. The SHA-256 of each file is its name. */
function documentFiles(used: ReadonlySet<RecipeId>, plan: Plan): KitFile[] {
  return [...used].sort(byCodeUnit).flatMap((id) => {
    const { key, document } = plan.get(id) ?? {}
    if (key === undefined || document === undefined) return []
    return [{ path: `${KIT.actions}/${key}.json`, text: canonicalJson(document) }]
  })
}
