import { stat, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { digestOf, digestOfFile, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { knownTo } from '../../build/plan-view.ts'
import { readDisk } from '../../image/disk.ts'
import type { Metadata } from '../../metadata/model.ts'
import { graphOf, nodeOf, type Graph } from '../../plan/graph.ts'
import { plan, type Plan } from '../../plan/plan.ts'
import { Installed, type InstalledArtifact } from '../../store/installed.ts'
import type { Store } from '../../store/store.ts'
import { firstDifferentByte } from '../../verify/compare-files.ts'
import { firstDifference } from '../../verify/first-difference.ts'
import type { Engine } from '../engine.ts'
import { exportImage } from '../../image/put.ts'
import { withRebuildStore } from '../../verify/rebuild-store.ts'
import { checkInstalled, readInstalled } from '../../image/installed.ts'
import { runningDisk } from '../../image/running-disk.ts'
import { resolveTarget } from '../targets.ts'
import { buildContext, buildTargets, sourceFinder, type BuildFlags } from './build.ts'

/** Options of `rebuild`. */
export interface RebuildFlags extends BuildFlags {
  /** Recipes, separated by commas. */
  readonly only?: string
  /** File or disk that holds the image to compare with. */
  readonly against?: string
}

/** A rebuild under way. */
interface Rebuild {
  readonly engine: Engine
  readonly flags: RebuildFlags
  readonly metadata: Metadata
  readonly image: RecipeId
  readonly graph: Graph
  readonly disk: string
  readonly size: number
  /** Bytes of the partition with the sources, which are copied as they are. */
  readonly sources: number
  readonly installed: Installed
  readonly root: string
}

/**
 * `rebuild [IMAGE]`: makes the image that this system runs from again, from the sources on it, and
 * compares. Everything is built in a store of its own that begins empty; interrupted, it goes on
 * there. With `only`, just these recipes are built, from what is installed.
 */
export async function rebuildCommand(
  engine: Engine,
  word: string,
  flags: RebuildFlags,
): Promise<void> {
  const { installed: root } = await engine.configuration()
  if (root === undefined) {
    throw new FixpointError(
      'usage',
      'not-installed',
      'Cannot rebuild this system: it does not run from an image',
      {
        hint: 'Boot the image and type it there, or name its file: fixpoint rebuild --image FILE',
      },
    )
  }
  const metadata = await engine.ownMetadata()
  const image = resolveTarget(metadata, word)
  const disk = flags.against ?? (await runningDisk())
  const { size, partitions } = await readDisk(disk)
  const mirror = partitions.find(({ name }) => name === 'mirror')
  const graph = graphOf(metadata, [image], { mirrors: mirror !== undefined })
  const installed = await readInstalled(root)
  const rebuild = {
    engine,
    flags,
    metadata,
    image,
    graph,
    disk,
    size,
    sources: mirror?.size ?? 0,
    installed,
    root,
  }
  await (flags.only === undefined ? rebuildAll(rebuild) : rebuildOnly(rebuild, flags.only))
}

async function rebuildAll(rebuild: Rebuild): Promise<void> {
  const { engine, image, graph, disk, size, sources, installed, root } = rebuild
  requireMemory(graph, graph.nodes.keys())
  // What is compared with is what the manifest says, so the files must still be that: what was
  // changed is named now, not after hours.
  await checkInstalled(root, installed)
  const of = {
    kind: 'rebuild',
    digest: identity(installed, ''),
    lower: new Installed(root, []),
  } as const
  await withRebuildStore(engine, of, async ({ own, store, folder, resumed }) => {
    if (!resumed) await requireSpace(folder)
    const before = recorded(graph, [...graph.nodes.keys()], own, store)
    const context = await buildContext(own, rebuild.flags)
    const result = await buildTargets(own, graph, [image], rebuild.flags, context)
    const built = recorded(graph, [...graph.nodes.keys()], own, store)
    const foreign = without(built, [...before, ...result.ran])
    requireAll(graph, built, foreign)
    await compareArtifacts(rebuild, store, folder, result.plan, installed.artifacts)
    const digest = await compareImage(rebuild, folder, await imageFile(rebuild, store, result.plan))
    const exported =
      rebuild.flags.output === undefined
        ? []
        : await exportImage(
            own,
            result.plan,
            image,
            rebuild.flags.output,
            sourceFinder(own, context),
          )
    await engine.result(
      [
        `actions in the graph: ${String(graph.nodes.size)}`,
        ran(built.length, without(before, result.ran).length),
        `taken from the store: ${String(foreign.length)}`,
        await share(
          installed.artifacts.filter(({ recipe }) => built.includes(recipe)),
          rebuild,
        ),
        `of the image: ${String(size - sources)} bytes built, ${String(sources)} the sources, each compared with its digest`,
        `identical: ${disk} and what was built from its sources, all ${String(size)} bytes`,
        `${digest}  ${image}`,
        ...exported,
      ],
      { type: 'rebuilt', image, digest, size, actions: built.length, files: exported },
    )
  })
}

/** Builds some recipes again; everything else is taken from what is installed. */
async function rebuildOnly(rebuild: Rebuild, words: string): Promise<void> {
  const { engine, metadata, image, graph, installed, root, size } = rebuild
  const targets = [...new Set(words.split(',').map((word) => resolveTarget(metadata, word)))]
  const known = new Map(installed.artifacts.map((artifact) => [artifact.recipe, artifact]))
  const missing = targets.find((id) => id !== image && !known.has(id))
  if (missing !== undefined) {
    throw new FixpointError(
      'usage',
      'not-installed',
      `Cannot compare "${missing}": it is not installed in ${image}`,
      {
        hint: 'Only what is installed, and the image itself, can be compared',
      },
    )
  }
  const compared = targets.flatMap((id) => known.get(id) ?? [])
  // As for all of it: what is compared with is what the manifest says.
  for (const { artifact } of compared) await installed.pack(artifact, undefined)
  const others = installed.artifacts.filter(({ recipe }) => !targets.includes(recipe))
  const of = {
    kind: 'rebuild-only',
    digest: identity(installed, [...targets].sort().join(',')),
    lower: new Installed(root, others),
  } as const
  await withRebuildStore(engine, of, async ({ own, store, folder, resumed }) => {
    requireMemory(graph, toRun(graph, targets, own, store))
    const before = resumed ? recorded(graph, targets, own, store) : []
    const result = await buildTargets(
      own,
      graph,
      targets,
      rebuild.flags,
      await buildContext(own, rebuild.flags),
    )
    await compareArtifacts(rebuild, store, folder, result.plan, compared)
    const lines = compared.map(({ recipe, artifact }) => `${recipe} ${artifact}: identical`)
    const digest = targets.includes(image)
      ? await compareImage(rebuild, folder, await imageFile(rebuild, store, result.plan))
      : undefined
    if (digest !== undefined) lines.push(`${image} ${digest}: identical to ${rebuild.disk}`)
    const kept = without(before, result.ran).length
    const actions = result.ran.length + kept
    // An image is not installed in itself.
    const shares = compared.length > 0 ? [await share(compared, rebuild)] : []
    await engine.result([...lines, ran(actions, kept), ...shares], {
      type: 'rebuilt',
      image,
      digest,
      size,
      actions,
      files: [],
    })
  })
}

/** Tells a rebuild of this system from that of another one, or of other recipes. */
function identity(installed: Installed, what: string): Digest {
  return digestOf(
    JSON.stringify([what, installed.artifacts.map(({ key, artifact }) => [key, artifact])]),
  )
}

/**
 * Bytes of the store and of the largest tree that is built in, by docs/benchmarks.md: what one
 * action at a time takes at least.
 */
const REBUILD_DISK = 3.8e9

/** Fails with `little-space` where a rebuild of everything cannot but fill the disk half-way. */
async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= REBUILD_DISK) return
  throw new FixpointError(
    'hostUnfit',
    'little-space',
    `Cannot rebuild here: it takes more than ${mebibytes(REBUILD_DISK)} of disk, "${folder}" has ${mebibytes(free)}`,
    { hint: 'In the appliance: attach a disk, and type `data create DISK`' },
  )
}

/** What building some recipes will or may run, also below them. */
function toRun(graph: Graph, targets: readonly RecipeId[], own: Engine, store: Store): RecipeId[] {
  const current = plan(graph, targets, knownTo(store, own.nameOf))
  return [...current].flatMap(([id, { state }]) =>
    state === 'ready' || state === 'waits' ? [id] : [],
  )
}

/**
 * Fails with `little-memory` on a machine that has less than one of the actions is known to take:
 * half-way it would be killed, or crawl.
 */
function requireMemory(graph: Graph, ids: Iterable<RecipeId>): void {
  const largest = [...ids]
    .map((id) => nodeOf(graph.nodes, id).recipe)
    .sort((a, b) => b.memory - a.memory)[0]
  if (largest === undefined || largest.memory <= totalmem()) return
  throw new FixpointError(
    'hostUnfit',
    'little-memory',
    `Cannot rebuild here: building ${largest.id} takes ${mebibytes(largest.memory)} of memory, this machine has ${mebibytes(totalmem())}`,
    { hint: 'Give it more memory, or build single recipes again with --only' },
  )
}

function mebibytes(bytes: number): string {
  return `${String(Math.round(bytes / 2 ** 20))} MiB`
}

/**
 * Makes sure that a rebuild of everything was one: fails with `not-all-run` unless there is an
 * artifact of every action, and none is `foreign`, from an action that it did not run.
 */
function requireAll(graph: Graph, built: readonly RecipeId[], foreign: readonly RecipeId[]): void {
  const missing = without([...graph.nodes.keys()], built)
  if (missing.length === 0 && foreign.length === 0) return
  throw new FixpointError(
    'bug',
    'not-all-run',
    `Cannot call this a rebuild: not built: ${missing.join(', ') || 'none'}; taken from the store: ${foreign.join(', ') || 'none'}`,
  )
}

function without(ids: readonly RecipeId[], others: readonly RecipeId[]): RecipeId[] {
  return ids.filter((id) => !others.includes(id))
}

/**
 * The recipes, of some, whose actions have run to their end in a store; also of those that nothing
 * asks for any more.
 */
function recorded(graph: Graph, ids: readonly RecipeId[], own: Engine, store: Store): RecipeId[] {
  const known = knownTo(store, own.nameOf)
  const current = plan(graph, ids, known)
  return ids.filter((id) => {
    const { key, node } = current.get(id) ?? {}
    return (
      key !== undefined &&
      node !== undefined &&
      known.artifactOf(key, node.recipe.host) !== undefined
    )
  })
}

function ran(actions: number, before: number): string {
  return `run: ${String(actions)}${before > 0 ? `, ${String(before)} of them before this rebuild was interrupted` : ''}`
}

/**
 * Compares what was built with what is installed; fails with the first difference, by package and
 * file.
 */
async function compareArtifacts(
  { root }: Rebuild,
  store: Store,
  folder: string,
  current: Plan,
  wanted: readonly InstalledArtifact[],
): Promise<void> {
  const different = wanted.filter(
    ({ recipe, artifact }) => current.get(recipe)?.artifact !== artifact,
  )
  // The first in the order of building is where the difference began.
  const order = [...current.keys()]
  const [first] = different.sort((a, b) => order.indexOf(a.recipe) - order.indexOf(b.recipe))
  if (first === undefined) return
  const built = current.get(first.recipe)
  if (built?.artifact === undefined) {
    throw notTheSame(folder, `${first.recipe} is installed, but was not built`)
  }
  const difference = await firstDifference(
    { folder: root, listing: first.listing },
    { folder: store.treePath(built.artifact), listing: await store.tree(built.artifact) },
  )
  const where =
    difference === undefined
      ? built.key === first.key
        ? `the artifacts are ${first.artifact} and ${built.artifact}`
        : `its recipe has another key than that of what is installed`
      : `"${difference.path}": ${difference.what}; ${String(difference.count)} entries differ`
  throw notTheSame(
    folder,
    `${first.recipe}: ${where} (${String(different.length)} packages differ)`,
  )
}

function notTheSame(folder: string, where: string): FixpointError {
  return new FixpointError(
    'notReproducible',
    'rebuild-differs',
    `What was built is not what this system runs from: ${where}`,
    {
      hint: `What was built is kept in "${folder}" until the next rebuild`,
    },
  )
}

/** The file of the image that was built. */
async function imageFile({ image, graph }: Rebuild, store: Store, current: Plan): Promise<string> {
  const artifact = current.get(image)?.artifact
  if (artifact === undefined) throw new TypeError(`"${image}" was not built`)
  await store.tree(artifact)
  return join(store.treePath(artifact), `${nodeOf(graph.nodes, image).recipe.name}.img`)
}

/**
 * Compares the image that was built with the disk, byte for byte over the image's length, and
 * resolves to its digest.
 */
async function compareImage(
  { disk, size }: Rebuild,
  folder: string,
  file: string,
): Promise<Digest> {
  const built = (await stat(file)).size
  const offset = await firstDifferentByte(disk, file, Math.max(size, built))
  if (offset === undefined) return digestOfFile(file)
  const { partitions } = await readDisk(file)
  const part = partitions.find(
    ({ start, size: length }) => offset >= start && offset < start + length,
  )
  const where =
    part === undefined
      ? 'outside the partitions'
      : `partition "${part.name}", offset ${String(offset - part.start)}`
  throw notTheSame(
    folder,
    `every package is the same, but byte ${String(offset)} of ${disk} is not (${where})`,
  )
}

/** A line that says how much of what is installed some artifacts are. */
async function share(
  part: readonly InstalledArtifact[],
  { installed, root }: Rebuild,
): Promise<string> {
  const [some, all] = [await bytesOf(part, root), await bytesOf(installed.artifacts, root)]
  return `rebuilt: ${((100 * some) / all).toFixed(1)} % of the ${String(all)} bytes that are installed`
}

async function bytesOf(artifacts: readonly InstalledArtifact[], root: string): Promise<number> {
  let sum = 0
  for (const { listing } of artifacts) {
    for (const entry of listing)
      if (entry.type === 'file') sum += (await stat(join(root, entry.path))).size
  }
  return sum
}
