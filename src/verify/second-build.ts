import {
  chmod,
  chown,
  copyFile,
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
} from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { FixpointError, kindOfStatus } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode, exists, makeFolder, removeTree } from '../base/files.ts'
import type { Graph } from '../plan/graph.ts'
import type { Store } from '../store/store.ts'
import type { SourceFinder } from './list-seeds.ts'
import { CHECKOUT, defaultCores, layersFile, type Engine } from '../cli/engine.ts'
import { fillMirror } from '../fetch/fill-mirror.ts'
import { claimFolder, markFolder, removeFolder } from '../store/claimed-folder.ts'
import { runTied } from '../sandbox/child-on-a-pipe.ts'
import type { Variations } from './variations.ts'

/**
 * A user that owns nothing: the second build is done as this one when the first was done as root.
 */
const OTHER_USER = 54_321

/** Of a checkout: neither engine nor recipes, and large. */
const NOT_COPIED = ['.git', 'out', 'coverage']

/**
 * Conditions of the second build that must leave no mark. Some would break a build that let them
 * in.
 */
const OTHER_ENVIRONMENT: Readonly<Record<string, string>> = {
  TZ: 'Pacific/Chatham',
  LANG: 'tr_TR.UTF-8',
  LC_ALL: 'tr_TR.UTF-8',
  CC: 'false',
  CFLAGS: '-DFIXPOINT_JUNK -O0 -g',
  LDFLAGS: '-Wl,--fixpoint-junk',
  // Any that is there: the loader complains of one that is not for each program that is started.
  LD_PRELOAD: 'libm.so.6',
  MAKEFLAGS: '-j7',
  SOURCE_DATE_EPOCH: '1',
  // For this engine: it makes files in the opposite order, which shows in folders of some file
  // systems.
  FIXPOINT_BACKWARDS: '1',
  GREP_OPTIONS: '--color=always',
}

/** Folders of the second build. */
export interface Place {
  readonly folder: string
  readonly store: string
  readonly mirror: string
  readonly checkout: string
  readonly user: number | undefined
}

/** Where the second build is done unless told otherwise. */
export function defaultPlace(store: Store): string {
  // Another user must be able to get there, which a home folder may not allow.
  return process.getuid?.() === 0 ? '/var/tmp/fixpoint-verify' : `${store.root}-verify`
}

/** Mark of a folder that a second build was done in. */
const MARK = 'second build'

/** Names of what a place is made of. */
const [STORE, MIRROR, ELSEWHERE, HOME] = ['store', 'mirror', 'another path', 'home'] as const

/**
 * Makes sure that a second build may be done in a folder, before the first one takes its time, and
 * resolves to the folders there. `first` is the store of that one. Fails with `not-own-folder`, or
 * `same-store`.
 */
export async function claimPlace(path: string, first: Store): Promise<Place> {
  // It is handed to an engine that runs elsewhere.
  const folder = resolve(path)
  const place = {
    folder,
    store: join(folder, STORE),
    mirror: join(folder, MIRROR),
    checkout: join(folder, ELSEWHERE, 'checkout'),
    user: process.getuid?.() === 0 ? OTHER_USER : undefined,
  }
  // The default lies where anyone may make folders and links.
  if ((await claimFolder(folder)) === undefined) await markFolder(folder, MARK)
  for (const name of [place.store, place.mirror]) await makeFolder(name)
  // It would find everything built, and say that two builds are the same.
  if ((await realpath(place.store)) === (await realpath(first.root))) {
    throw new FixpointError(
      'usage',
      'same-store',
      `Cannot build a second time in "${folder}": the first store lies there`,
    )
  }
  return place
}

/**
 * Lays out the second build: a copy of the engine and the layers, and the sources it needs, which
 * `find` tells, as a mirror folder.
 */
export async function preparePlace(place: Place, graph: Graph, find: SourceFinder): Promise<void> {
  await removeTree(place.checkout)
  const left = new Set([...NOT_COPIED, ...(await developmentPackages(CHECKOUT))])
  await cp(CHECKOUT, place.checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !left.has(relative(CHECKOUT, path)),
  })
  const sources = [...graph.nodes.values()].flatMap(({ recipe }) => recipe.sources)
  const files = sources.filter((source) => source.kind === 'file')
  await fillMirror(place.mirror, files, find, linkOrCopy)
  if (place.user !== undefined) {
    await chmod(place.folder, 0o755)
    await giveTo(place.user, place.store)
    await giveTo(place.user, place.checkout)
  }
}

/** Removes what a second build left; what else is in its folder stays. */
export async function removePlace({ folder }: Place): Promise<void> {
  await removeFolder(folder, [STORE, MIRROR, ELSEWHERE, HOME])
}

/**
 * Packages in `node_modules` that the engine does not need to run, most of what is there: folders
 * relative to the checkout.
 */
async function developmentPackages(checkout: string): Promise<string[]> {
  const lock = join(checkout, 'package-lock.json')
  if (!(await exists(lock))) return []
  const { packages } = JSON.parse(await readFile(lock, 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(packages).flatMap(([path, { dev }]) => (dev === true ? [path] : []))
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (error: unknown) => {
    if (errorCode(error) !== 'EXDEV') throw error
    await copyFile(from, to)
  })
}

async function giveTo(user: number, folder: string): Promise<void> {
  await chown(folder, user, user)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), user, user)
  }
}

/**
 * As the leader of its own group: Ctrl-C reaches the first engine only, which ends this one as it
 * ends itself, and waits for it.
 */
const tied = (limits: string): string => `umask 077
${limits}exec 3<&0 </dev/null
"$@" &
engine=$!
{ cat <&3 >/dev/null; kill -TERM $engine; } 2>/dev/null &
wait $engine
`

/** Runs the copied engine under the other conditions. */
export async function buildAgain(
  place: Place,
  engine: Engine,
  targets: readonly RecipeId[],
  cores: number,
  { limits, prefix }: Variations,
): Promise<void> {
  const home = join(place.folder, HOME)
  await removeTree(home) // of a killed run
  await mkdir(home)
  const layers = await realpath(layersFile(engine.options.layers))
  const inside = relative(await realpath(CHECKOUT), layers)
  const copied = inside.startsWith('..') ? layers : join(place.checkout, inside)
  const main = join(place.checkout, 'dist/src/cli/main.js')
  const { recipes } = await engine.metadata()
  // An output folder without an image to put there is refused.
  const isImage = targets.some((id) => recipes.get(id)?.image === true)
  const output = isImage ? ['-o', join(place.store, 'out')] : []
  const command = [
    ...[...prefix, process.execPath, main, '--layers', copied, '--store', place.store],
    ...['build', '-j', String(cores), '--offline', '--mirror', place.mirror, ...output, ...targets],
  ]
  const { user } = place
  if (user !== undefined) await chown(home, user, user)
  const status = await runTied(
    'sh',
    ['-c', tied(limits), 'sh', ...command],
    {
      cwd: dirname(copied),
      detached: true,
      stdout: 'ignore',
      env: { ...OTHER_ENVIRONMENT, HOME: home, PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      ...(user !== undefined && { uid: user, gid: user }),
    },
    engine.signal,
  )
  await removeTree(home)
  engine.signal.throwIfAborted()
  if (status !== 0)
    throw new FixpointError(
      kindOfStatus(status),
      'second-build-failed',
      `Cannot build a second time: the engine ended with status ${String(status)}`,
    )
}

/** Cores of the second build, unless it is told how many. */
export function otherCores(): number {
  return defaultCores() > 1 ? 1 : 2
}
