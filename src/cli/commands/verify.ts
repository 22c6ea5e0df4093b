import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, link, mkdir, mkdtemp, readdir, readFile, realpath, rmdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FixpointError, type FailureKind } from '../../base/error.ts'
import type { RecipeId } from '../../base/events.ts'
import { errorCode, exists, removeTree } from '../../base/files.ts'
import { knownTo } from '../../build/known.ts'
import { graphOf, type Graph } from '../../plan/graph.ts'
import { plan, type Plan } from '../../plan/plan.ts'
import { Store } from '../../store/store.ts'
import { compareBuilds, type Mismatch } from '../../verify/compare-builds.ts'
import { firstDifference } from '../../verify/first-difference.ts'
import { defaultCores, layersFile, type Engine } from '../engine.ts'
import { resolveTargets } from '../targets.ts'
import { buildTargets, type BuildFlags } from './build.ts'

/** Options of `verify`. */
export interface VerifyFlags extends BuildFlags {
  /** Where the second build has its store and checkout. */
  readonly second?: string
}

/** A user that owns nothing: the second build is done as this one when the first was done as root. */
const OTHER_USER = 54_321

/** Of a checkout: neither engine nor recipes, and large. */
const NOT_COPIED = ['.git', 'out', 'coverage']

/** Conditions of the second build that must leave no mark. Some would break a build that let them in. */
const OTHER_ENVIRONMENT: Readonly<Record<string, string>> = {
  TZ: 'Pacific/Chatham',
  LANG: 'tr_TR.UTF-8',
  LC_ALL: 'tr_TR.UTF-8',
  CC: 'false',
  CFLAGS: '-DFIXPOINT_JUNK -O0 -g',
  LDFLAGS: '-Wl,--fixpoint-junk',
  LD_PRELOAD: '/fixpoint-junk.so',
  MAKEFLAGS: '-j7',
  SOURCE_DATE_EPOCH: '1',
  GREP_OPTIONS: '--color=always',
}

/**
 * `verify TARGET…`: builds the targets a second time from an empty store, in a copy of the checkout at another path, as another user (when root),
 * with umask 077, another environment and another number of cores, and compares every artifact above the layers that see the host. The second store is
 * kept while builds in it fail or are interrupted, so that the next run goes on, and removed once all is compared.
 */
export async function verifyCommand(engine: Engine, words: readonly string[], flags: VerifyFlags): Promise<void> {
  const metadata = await engine.metadata()
  const targets = resolveTargets(metadata, words)
  const graph = graphOf(metadata, targets)
  const store = await engine.store()
  const first = await buildTargets(engine, graph, targets, flags)
  const place = await preparePlace(flags.second ?? defaultPlace(store), store, graph)
  await buildAgain(place, engine, targets, flags.jobs ?? otherCores())
  const again = await Store.open(place.store, { emit: engine.emit, now: engine.now })
  const second = plan(graph, targets, knownTo(again, engine.nameOf))
  const { same, mismatches } = compareBuilds(planAll(graph, store, engine), planAll(graph, again, engine))
  if (mismatches.length > 0) {
    const lines = await Promise.all(mismatches.map((mismatch) => describeMismatch(mismatch, store, again)))
    await again.close()
    throw new FixpointError(
      'notReproducible',
      'builds-differ',
      `Two builds differ in ${String(mismatches.length)} of ${String(same + mismatches.length)} artifacts\n  ${lines.join('\n  ')}`,
      {
        hint: `The second build is kept in "${place.folder}"`,
      },
    )
  }
  await again.close()
  if (same === 0) {
    throw new FixpointError(
      'usage',
      'nothing-to-compare',
      'Cannot verify what only host layers make: that may differ from host to host',
    )
  }
  const artifacts = targets.map((id) => [id, String(second.get(id)?.artifact ?? first.plan.get(id)?.artifact)] as const)
  await engine.result(
    [
      ...artifacts.map((words) => words.join(' ')),
      `identical: ${String(same)} artifacts, built twice from the sources`,
    ],
    { type: 'verified', targets: Object.fromEntries(artifacts), same },
  )
  // Not the folder: what else is in it is none of ours.
  for (const part of [place.store, place.mirror, dirname(place.checkout)]) await removeTree(part)
  await rmdir(place.folder).catch(() => undefined) // holds other things
}

/** Folders of the second build. */
interface Place {
  readonly folder: string
  readonly store: string
  readonly mirror: string
  readonly checkout: string
  readonly user: number | undefined
}

function defaultPlace(store: Store): string {
  // Another user must be able to get there, which a home folder may not allow.
  return process.getuid?.() === 0 ? '/var/tmp/fixpoint-verify' : `${store.root}-verify`
}

/** Lays out the second build: a copy of the engine and the layers elsewhere, and the sources it may need as a mirror folder. */
async function preparePlace(folder: string, store: Store, graph: Graph): Promise<Place> {
  const user = process.getuid?.() === 0 ? OTHER_USER : undefined
  const place = {
    folder,
    store: join(folder, 'store'),
    mirror: join(folder, 'mirror'),
    checkout: join(folder, 'another path', 'checkout'),
    user,
  }
  for (const name of [place.store, place.mirror]) await mkdir(name, { recursive: true })
  await removeTree(place.checkout)
  const engineRoot = fileURLToPath(new URL('../../../..', import.meta.url))
  const left = new Set([...NOT_COPIED, ...(await developmentPackages(engineRoot))])
  await cp(engineRoot, place.checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !left.has(relative(engineRoot, path)),
  })
  for (const { recipe } of graph.nodes.values()) {
    for (const source of recipe.sources) {
      if (source.kind !== 'file' || !store.has(source.sha256)) continue
      await linkOrCopy(store.blobPath(source.sha256), join(place.mirror, source.sha256))
    }
  }
  if (user !== undefined) {
    await chmod(folder, 0o755)
    await giveTo(user, place.store)
    await giveTo(user, place.checkout)
  }
  return place
}

/** Packages in `node_modules` that the engine does not need to run, most of what is there: folders relative to the checkout. */
async function developmentPackages(checkout: string): Promise<string[]> {
  const lock = join(checkout, 'package-lock.json')
  if (!(await exists(lock))) return []
  const { packages } = JSON.parse(await readFile(lock, 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  return Object.entries(packages).flatMap(([path, { dev }]) => (dev === true ? [path] : []))
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  if (await exists(to)) return
  await link(from, to).catch(async (error: unknown) => {
    if (errorCode(error) !== 'EXDEV') throw error
    await cp(from, to)
  })
}

async function giveTo(user: number, folder: string): Promise<void> {
  await chown(folder, user, user)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), user, user)
  }
}

function otherCores(): number {
  return defaultCores() > 1 ? 1 : 2
}

/** Runs the copied engine under the other conditions. */
async function buildAgain(place: Place, engine: Engine, targets: readonly RecipeId[], cores: number): Promise<void> {
  const home = await mkdtemp(join(place.folder, 'home-'))
  const own = await realpath(fileURLToPath(new URL('../../../..', import.meta.url)))
  const layers = await realpath(layersFile(engine.options.layers))
  const inside = relative(own, layers)
  const copied = inside.startsWith('..') ? layers : join(place.checkout, inside)
  const main = join(place.checkout, 'dist/src/cli/main.js')
  const command = [
    process.execPath,
    main,
    '--layers',
    copied,
    '--store',
    place.store,
    'build',
    '-j',
    String(cores),
    '--offline',
    '--mirror',
    place.mirror,
    '-o',
    join(place.store, 'out'),
    ...targets,
  ]
  const asOther =
    place.user === undefined
      ? []
      : ['setpriv', '--reuid', String(place.user), '--regid', String(place.user), '--clear-groups']
  if (place.user !== undefined) await chown(home, place.user, place.user)
  const child = spawn('sh', ['-c', 'umask 077; exec "$@"', 'sh', ...asOther, ...command], {
    cwd: dirname(copied),
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...OTHER_ENVIRONMENT, HOME: home, PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    signal: engine.signal,
    killSignal: 'SIGINT',
  })
  const [status] = (await once(child, 'exit')) as [number | null]
  await removeTree(home)
  if (status !== 0)
    throw new FixpointError(
      kindOf(status),
      'second-build-failed',
      `Cannot build a second time: the engine ended with status ${String(status)}`,
    )
}

function kindOf(status: number | null): FailureKind {
  return status === 130 ? 'interrupted' : 'buildFailed'
}

/** Keys and recorded artifacts of the whole graph, also of what the targets would not need again. */
function planAll(graph: Graph, store: Store, engine: Engine): Plan {
  return plan(graph, [], knownTo(store, engine.nameOf))
}

async function describeMismatch({ recipe, what, first, second }: Mismatch, a: Store, b: Store): Promise<string> {
  if (what === 'key' || first === undefined || second === undefined)
    return `${recipe}: another ${what}, ${String(first)} and ${String(second)}`
  const difference = await firstDifference(
    { folder: a.treePath(first), listing: await a.tree(first) },
    { folder: b.treePath(second), listing: await b.tree(second) },
  )
  return difference === undefined
    ? `${recipe}: ${first} and ${second}`
    : `${recipe}: "${difference.path}": ${difference.what} (${String(difference.count)} entries differ)`
}
