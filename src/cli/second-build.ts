import { chmod, chown, copyFile, cp, link, lstat, mkdtemp, readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { FixpointError, kindOfStatus } from '../base/error.ts'
import type { RecipeId } from '../base/events.ts'
import { errorCode, exists, makeFolder, removeTree } from '../base/files.ts'
import type { Graph } from '../plan/graph.ts'
import type { Store } from '../store/store.ts'
import type { SourceFinder } from '../verify/list-seeds.ts'
import { CHECKOUT, defaultCores, layersFile, type Engine } from './engine.ts'
import { fillMirror } from './mirror-folder.ts'
import { runTied } from './tied.ts'

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
  // Any that is there: the loader complains of one that is not for each program that is started.
  LD_PRELOAD: 'libm.so.6',
  MAKEFLAGS: '-j7',
  SOURCE_DATE_EPOCH: '1',
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

/** Lays out the second build: a copy of the engine and the layers elsewhere, and the sources it needs, which `find` tells, as a mirror folder. Fails with `not-own-folder`. */
export async function preparePlace(folder: string, graph: Graph, find: SourceFinder): Promise<Place> {
  const user = process.getuid?.() === 0 ? OTHER_USER : undefined
  const place = {
    folder,
    store: join(folder, 'store'),
    mirror: join(folder, 'mirror'),
    checkout: join(folder, 'another path', 'checkout'),
    user,
  }
  await makeOwn(folder)
  for (const name of [place.store, place.mirror]) await makeFolder(name)
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
  if (user !== undefined) {
    await chmod(folder, 0o755)
    await giveTo(user, place.store)
    await giveTo(user, place.checkout)
  }
  return place
}

/** The default lies where anyone may make folders and links: root changes the owner of what is in there, so it must be root's. */
async function makeOwn(folder: string): Promise<void> {
  await makeFolder(folder)
  const found = await lstat(folder)
  if (found.isDirectory() && found.uid === process.getuid?.()) return
  throw new FixpointError('usage', 'not-own-folder', `Cannot build in "${folder}": it is not a folder of this user's`, {
    hint: 'Remove it, or name another one by --second',
  })
}

/** Packages in `node_modules` that the engine does not need to run, most of what is there: folders relative to the checkout. */
async function developmentPackages(checkout: string): Promise<string[]> {
  const lock = join(checkout, 'package-lock.json')
  if (!(await exists(lock))) return []
  const { packages } = JSON.parse(await readFile(lock, 'utf8')) as { packages: Record<string, { dev?: boolean }> }
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

/** As the leader of its own group: Ctrl-C reaches the first engine only, which ends this one as it ends itself, and waits for it. */
const TIED = `umask 077
exec 3<&0 </dev/null
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
  cores = otherCores(),
): Promise<void> {
  const home = await mkdtemp(join(place.folder, 'home-'))
  const layers = await realpath(layersFile(engine.options.layers))
  const inside = relative(await realpath(CHECKOUT), layers)
  const copied = inside.startsWith('..') ? layers : join(place.checkout, inside)
  const main = join(place.checkout, 'dist/src/cli/main.js')
  const { recipes } = await engine.metadata()
  // An output folder without an image to put there is refused.
  const isImage = targets.some((id) => recipes.get(id)?.image === true)
  const output = isImage ? ['-o', join(place.store, 'out')] : []
  const command = [
    ...[process.execPath, main, '--layers', copied, '--store', place.store],
    ...['build', '-j', String(cores), '--offline', '--mirror', place.mirror, ...output, ...targets],
  ]
  const { user } = place
  if (user !== undefined) await chown(home, user, user)
  const status = await runTied(
    'sh',
    ['-c', TIED, 'sh', ...command],
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

function otherCores(): number {
  return defaultCores() > 1 ? 1 : 2
}
