import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, rm, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { removeTree } from '../../src/base/remove-tree.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { actionOf } from '../../src/build/planned-action.ts'
import { hostFingerprint } from '../../src/build/fingerprint.ts'
import { indexNamer, planOn } from '../../src/store/plan-view.ts'
import { scriptsOf } from '../../src/build/steps.ts'
import { Workspace } from '../../src/build/workspace.ts'
import { loadMetadata } from '../../src/metadata/load.ts'
import { graphOf, nodeOf, type Graph } from '../../src/plan/graph.ts'
import { sandboxCommand } from '../../src/sandbox/bwrap.ts'
import { blobPath, treePath } from '../../src/store/local/layout.ts'
import { Store } from '../../src/store/store.ts'
import { timed } from './measure.ts'
import { FIXPOINT } from './paths.ts'

/** What is compared: one recipe of some layers, and where its sources are. */
export interface Comparison {
  readonly layersFile: string
  readonly target: RecipeId
  /** Store that sources are taken from, only read. */
  readonly from: string
  /** Mirror folder for sources which that store lacks. */
  readonly mirror: string | undefined
  /** How often each is measured, after one time that does not count. */
  readonly rounds: number
}

/** Least wall-clock milliseconds of each. */
export interface Overhead {
  readonly engineMs: number
  readonly scriptMs: number
}

const CORES = availableParallelism()
const indexName = indexNamer(hostFingerprint)

/**
 * Times a recipe built by the engine (the whole process, inputs and sources there already) and by a
 * plain script: the same scripts in one sandbox with the same mounts, all laid out before the clock
 * starts, nothing packed after. Both remove the tree that they built in. Works below `folder`.
 */
export async function compare(folder: string, comparison: Comparison): Promise<Overhead> {
  const { layersFile, target, mirror, rounds } = comparison
  const graph = graphOf(await loadMetadata(layersFile), [target])
  const root = join(folder, 'store')
  const engine = [...FIXPOINT, '--layers', layersFile, '--store', root]
  const links = await linkSources(graph, comparison.from, join(folder, 'sources'))
  const mirrors = [links, ...(mirror === undefined ? [] : [mirror])]
  const { inputs } = nodeOf(graph.nodes, target)
  timed([...engine, 'fetch', '--offline', ...mirrors.flatMap((path) => ['--from', path]), target])
  if (inputs.length > 0) timed([...engine, 'build', '--offline', ...inputs])
  const store = await Store.open(root, { emit: () => undefined, now: () => performance.now() })
  const walls = { engine: [] as number[], script: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    walls.script.push(await timePlainScript(graph, target, store, join(folder, 'plain')))
    writeBack()
    walls.engine.push(
      timed([...engine, 'build', '--offline', '--jobs', String(CORES), target]).wallMs,
    )
    await forget(graph, target, store)
  }
  await store.session.close()
  // The first of all unpacks onto a disk that has had nothing removed from it yet, in half the time
  // of any later one: not for the script alone.
  return {
    engineMs: Math.min(...walls.engine.slice(1)),
    scriptMs: Math.min(...walls.script.slice(1)),
  }
}

/** A mirror folder with the sources that a store holds. */
async function linkSources(graph: Graph, store: string, folder: string): Promise<string> {
  await mkdir(folder)
  for (const { recipe } of graph.nodes.values()) {
    for (const source of recipe.sources) {
      if (source.kind !== 'file') continue
      const [blob, link] = [
        join(store, 'blobs', source.sha256.slice(0, 2), source.sha256),
        join(folder, source.sha256),
      ]
      if (existsSync(blob) && !existsSync(link)) await symlink(blob, link)
    }
  }
  return folder
}

async function timePlainScript(
  graph: Graph,
  target: RecipeId,
  store: Store,
  folder: string,
): Promise<number> {
  const current = planOn({ store, indexName }, graph, [target])
  const planned = current.get(target)
  if (planned?.state !== 'ready')
    throw new Error(`${target} is ${planned?.state ?? 'unknown'}, wanted ready`)
  const action = actionOf(current, target)
  const workspace = await Workspace.create(folder)
  await workspace.layOut(action, { store, signal: new AbortController().signal })
  const scripts = scriptsOf(action.document)
  for (const { name, script } of scripts) await writeFile(join(folder, 'steps', name), script)
  const lines = scripts.map(({ name }) => `(sh -eu /steps/${name})`)
  await writeFile(join(folder, 'steps', 'all'), `set -e\numask 022\n${lines.join('\n')}\n`)
  const spec = await workspace.sandbox(
    action,
    ['/bin/sh', '/steps/all'],
    { MAKEFLAGS: ` -j${CORES}` },
    undefined,
  )
  const [command = '', ...args] = sandboxCommand(spec)
  const log = await open(join(folder, 'log'), 'w')
  writeBack()
  const started = performance.now()
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', log.fd, log.fd],
    env: { PATH: '/usr/bin:/bin' },
  })
  await removeTree(folder)
  const wallMs = performance.now() - started
  await log.close()
  if (status !== 0)
    throw new Error(`the plain script of ${target} ended with status ${String(status)}`)
  return wallMs
}

/**
 * Lets the disk come to rest: else whichever is measured next pays for what the last one wrote and
 * removed.
 */
function writeBack(): void {
  spawnSync('sync')
}

/** Makes the store as if the target had never been built. */
async function forget(graph: Graph, target: RecipeId, store: Store): Promise<void> {
  const planned = planOn({ store, indexName }, graph, [target]).get(target)
  if (planned?.key === undefined || planned.artifact === undefined)
    throw new Error(`${target} was not built`)
  await rm(join(store.root, 'index', indexName(planned.key, planned.node.recipe.host)))
  await rm(blobPath(store.root, planned.artifact))
  await removeTree(treePath(store.root, planned.artifact))
}
