import { join } from 'node:path'
import { digestOf, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { BuildContext } from '../build/build-context.ts'
import type { Builder } from '../build/build.ts'
import { readDisk } from '../image/disk.ts'
import { checkInstalled, readInstalled } from '../image/installed.ts'
import type { Metadata } from '../metadata/model.ts'
import { graphOf, nodeOf, type Graph } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { Installed, type InstalledArtifact } from '../store/local/installed.ts'
import { planOn, storeAsKnown } from '../store/plan-view.ts'
import { withResumable } from '../store/resumable.ts'
import type { Store } from '../store/store.ts'
import { bytesOf, compareArtifacts, compareImage } from './compare-installed.ts'
import { requireMemory, requireSpace } from './limits.ts'

/** The image to build again, and what it is built and compared with. */
export interface RebuildRequest {
  readonly metadata: Metadata
  readonly image: RecipeId
  /** Only these recipes are built, from what is installed; undefined: everything. */
  readonly only: readonly RecipeId[] | undefined
  /** Root folder of the running image. */
  readonly root: string
  /** File or disk that holds the image. */
  readonly disk: string
  /** Path that the folders of rebuilds begin with; the store of each is in its own. */
  readonly beside: string
  /** Opens a store for the rebuild, above what `lower` has. */
  readonly open: (store: string, lower: Installed) => Promise<RebuildSite>
  readonly build: Builder
  /** Puts the image somewhere, once it is the same; resolves with the paths. */
  readonly put: (plan: Plan, site: BuildContext) => Promise<readonly string[]>
}

/** A store that a rebuild builds in. */
export interface RebuildSite {
  readonly context: BuildContext
  readonly close: () => Promise<void>
}

/** What a rebuild came to, when all of it is the same. Sizes are bytes. */
export interface Rebuilt {
  /** SHA-256 of the image; undefined when it was not built. */
  readonly digest: Digest | undefined
  /** Size of the image. */
  readonly size: number
  /** Size of the partition with the sources, which are copied as they are. */
  readonly sources: number
  /** Actions in the whole graph. */
  readonly graph: number
  /** Actions that ran. */
  readonly actions: number
  /** Those of them that ran before an interruption. */
  readonly before: number
  /** Installed artifacts that were built again. */
  readonly compared: readonly InstalledArtifact[]
  /** Size of the files of those, and of all that is installed. */
  readonly bytes: { readonly compared: number; readonly installed: number }
  readonly files: readonly string[]
}

/** A request with what its image's disk and root say. */
interface Subject extends RebuildRequest {
  readonly graph: Graph
  readonly installed: Installed
  readonly size: number
  readonly sources: number
}

/**
 * Makes the image that this system runs from again, from the sources on it, and compares. It is
 * built in a store of its own, which is empty at first; after an interruption it goes on there.
 * With `only`, just these recipes are built, from what is installed. Fails with `rebuild-differs`,
 * `little-space`, `little-memory`, `rebuild-running`, `not-installed` or `installed-damaged`.
 */
export async function rebuild(request: RebuildRequest): Promise<Rebuilt> {
  const { size, partitions } = await readDisk(request.disk)
  const mirror = partitions.find(({ name }) => name === 'mirror')
  const graph = graphOf(request.metadata, [request.image], { mirrors: mirror !== undefined })
  const installed = await readInstalled(request.root)
  const subject = { ...request, graph, installed, size, sources: mirror?.size ?? 0 }
  return request.only === undefined ? rebuildAll(subject) : rebuildOnly(subject, request.only)
}

async function rebuildAll(subject: Subject): Promise<Rebuilt> {
  const { graph, image, installed, root } = subject
  const all = [...graph.nodes.keys()]
  requireMemory(graph, all)
  // The manifest's digests stand for the files: a changed one is named now, not after hours.
  await checkInstalled(root, installed)
  const lower = new Installed(root, [])
  const identity = identityOf(installed, [])
  return inStore(subject, 'rebuild', identity, lower, async (context, folder, resumed) => {
    if (!resumed) await requireSpace(folder)
    const before = recorded(graph, all, context)
    const { ran, plan } = await subject.build(graph, [image], context)
    const built = recorded(graph, all, context)
    requireAll(all, built, without(built, [...before, ...ran]))
    await compareArtifacts({ plan, store: context.store, folder }, root, installed.artifacts)
    const file = await imageFile(subject, context.store, plan)
    const digest = await compareImage(file, subject.disk, subject.size, folder)
    return summary(subject, {
      digest,
      actions: built.length,
      before: without(before, ran).length,
      compared: installed.artifacts.filter(({ recipe }) => built.includes(recipe)),
      files: await subject.put(plan, context),
    })
  })
}

/** Builds some recipes again; everything else is taken from what is installed. */
async function rebuildOnly(subject: Subject, targets: readonly RecipeId[]): Promise<Rebuilt> {
  const { graph, image, installed, root } = subject
  const known = new Map(installed.artifacts.map((artifact) => [artifact.recipe, artifact]))
  const missing = targets.find((id) => id !== image && !known.has(id))
  if (missing !== undefined) {
    throw new FixpointError(
      'not-installed',
      `Cannot compare "${missing}": it is not installed in ${image}`,
    )
  }
  const compared = targets.flatMap((id) => known.get(id) ?? [])
  for (const { artifact } of compared) await installed.pack(artifact, undefined)
  const others = installed.artifacts.filter(({ recipe }) => !targets.includes(recipe))
  const lower = new Installed(root, others)
  const identity = identityOf(installed, targets)
  return inStore(subject, 'rebuild-only', identity, lower, async (context, folder, resumed) => {
    requireMemory(graph, toRun(graph, targets, context))
    const before = resumed ? recorded(graph, targets, context) : []
    const { ran, plan } = await subject.build(graph, targets, context)
    await compareArtifacts({ plan, store: context.store, folder }, root, compared)
    const file = targets.includes(image) ? await imageFile(subject, context.store, plan) : undefined
    const digest =
      file === undefined ? undefined : await compareImage(file, subject.disk, subject.size, folder)
    const kept = without(before, ran).length
    return summary(subject, {
      digest,
      actions: ran.length + kept,
      before: kept,
      compared,
      files: [],
    })
  })
}

/**
 * Lets `use` build in a store beside the usual one: empty, or that of an interrupted rebuild of the
 * same. It is removed when everything was the same. After a difference, the next rebuild begins
 * with an empty one.
 */
async function inStore(
  { beside, open }: RebuildRequest,
  kind: 'rebuild' | 'rebuild-only',
  identity: Digest,
  lower: Installed,
  use: (context: BuildContext, folder: string, resumed: boolean) => Promise<Rebuilt>,
): Promise<Rebuilt> {
  const folder = `${beside}-${kind}`
  return withResumable(folder, identity, async (resumed) => {
    const { context, close } = await open(join(folder, 'store'), lower)
    try {
      return await use(context, folder, resumed)
    } finally {
      await close()
    }
  })
}

/** Two rebuilds of the same image and recipes have the same. */
function identityOf(installed: Installed, targets: readonly RecipeId[]): Digest {
  const artifacts = installed.artifacts.map(({ key, artifact }) => [key, artifact])
  return digestOf(JSON.stringify([[...targets].sort().join(','), artifacts]))
}

async function summary(
  { graph, installed, root, size, sources }: Subject,
  own: Omit<Rebuilt, 'graph' | 'size' | 'sources' | 'bytes'>,
): Promise<Rebuilt> {
  const bytes = {
    compared: await bytesOf(own.compared, root),
    installed: await bytesOf(installed.artifacts, root),
  }
  return { ...own, graph: graph.nodes.size, size, sources, bytes }
}

/** What building some recipes will or may run, also below them. */
function toRun(graph: Graph, targets: readonly RecipeId[], context: BuildContext): RecipeId[] {
  return [...planOn(context, graph, targets)].flatMap(([id, { state }]) =>
    state === 'ready' || state === 'waits' ? [id] : [],
  )
}

/**
 * The recipes, of some, whose actions have run to their end in a store; also of those that nothing
 * asks for any more.
 */
function recorded(graph: Graph, ids: readonly RecipeId[], context: BuildContext): RecipeId[] {
  const known = storeAsKnown(context)
  const plan = planOn(context, graph, ids)
  return ids.filter((id) => {
    const { key, node } = plan.get(id) ?? {}
    return (
      key !== undefined &&
      node !== undefined &&
      known.artifactOf(key, node.recipe.host) !== undefined
    )
  })
}

/**
 * Makes sure that a rebuild of everything was one: each action has an artifact, and none is
 * `foreign`, from an action that it did not run. Fails with `not-all-run`.
 */
export function requireAll(
  all: readonly RecipeId[],
  built: readonly RecipeId[],
  foreign: readonly RecipeId[],
): void {
  const missing = without(all, built)
  if (missing.length === 0 && foreign.length === 0) return
  const list = (ids: readonly RecipeId[]): string => ids.join(', ') || 'none'
  throw new FixpointError(
    'not-all-run',
    `Cannot call this a rebuild: not built: ${list(missing)}; taken from the ` +
      `store: ${list(foreign)}`,
  )
}

function without(ids: readonly RecipeId[], others: readonly RecipeId[]): RecipeId[] {
  return ids.filter((id) => !others.includes(id))
}

/** The file of the image that was built. */
async function imageFile({ image, graph }: Subject, store: Store, plan: Plan): Promise<string> {
  const artifact = plan.get(image)?.artifact
  if (artifact === undefined) throw new TypeError(`"${image}" was not built`)
  const unpacked = await store.trees.unpack(artifact)
  return join(unpacked.folder, `${nodeOf(graph.nodes, image).recipe.name}.img`)
}
