import { spawnSync } from 'node:child_process'
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
import { basename, dirname, join, relative, resolve } from 'node:path'
import { EngineFailure, FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { errorCode, exists, makeFolder } from '../base/files.ts'
import { digestOf } from '../base/digest.ts'
import { removeTree } from '../base/remove-tree.ts'
import { fillWhole } from '../fetch/mirror/fill.ts'
import type { SourceFinder } from '../fetch/find-source.ts'
import { sourcesOf, type Node } from '../plan/graph.ts'
import { runOnPipe, runUntilPipeCloses } from '../sandbox/child-on-a-pipe.ts'
import { claimFolder, lockFolder, markFolder, removeFolder } from '../store/claimed-folder.ts'
import type { Lock } from '../store/local/lock.ts'
import type { Store } from '../store/store.ts'
import type { Variations } from './variations.ts'

/** A user that owns nothing. It does the second build when root did the first. */
const OTHER_USER = 54_321

/** Of a checkout: neither engine nor recipes, and large. */
const NOT_COPIED = ['.git', 'out', 'coverage']

/**
 * Conditions of the second build that must leave no trace. Some break a build that lets them in.
 */
const OTHER_ENVIRONMENT: Readonly<Record<string, string>> = {
  TZ: 'Pacific/Chatham',
  LANG: 'tr_TR.UTF-8',
  LC_ALL: 'tr_TR.UTF-8',
  CC: 'false',
  CFLAGS: '-DFIXPOINT_JUNK -O0 -g',
  LDFLAGS: '-Wl,--fixpoint-junk',
  // One that exists: the loader reports a missing one for each program.
  LD_PRELOAD: 'libm.so.6',
  MAKEFLAGS: '-j7',
  SOURCE_DATE_EPOCH: '1',
  // For the engine: it makes files in the opposite order, which shows in folders of some file
  // systems.
  FIXPOINT_BACKWARDS: '1',
  GREP_OPTIONS: '--color=always',
}

/** Folders of a second build. */
export interface SecondBuild {
  readonly folder: string
  readonly store: string
  readonly mirror: string
  readonly checkout: string
  /** Who does it, if root can say that; undefined: the user of the first. */
  readonly user: number | undefined
  /** Why no other user does it. */
  readonly sameUser: string | undefined
  /** On the folder. */
  readonly lock: Lock
}

/** Where the second build is done by default. */
export function defaultSecondFolder(first: Store): string {
  // Another user must be able to get there, which a home folder may not allow.
  if (process.getuid?.() !== 0) return `${first.root}-verify`
  // Builds from several stores do not meet there.
  return `/var/tmp/fixpoint-verify-${digestOf(first.root).slice(0, 8)}`
}

/** Mark of a folder that a second build was done in. */
const MARK = 'second build'

/** Names in the folder of a second build. */
const NAMES = { store: 'store', mirror: 'mirror', elsewhere: 'another path', home: 'home' } as const

/** In place of the store, for what has artifacts of the first: a build of everything ignores it. */
const LENT_STORE = 'store with what was lent'

/** What a second build is of. */
export interface SecondPlace {
  readonly folder: string
  /** The store of the first build. */
  readonly first: Store
  /** True: the second store gets artifacts of the first. */
  readonly alone: boolean
  /** Checkout of the engine. */
  readonly checkout: string
  /** The layers.yaml of both builds. */
  readonly layers: string
}

/**
 * Makes sure that a second build may use a folder, before the first build takes its time. Fails
 * with `not-own-folder`, `verify-running` or `same-store`. The caller releases the lock.
 */
export async function claimSecondBuild({
  folder: path,
  first,
  alone,
  checkout,
  layers,
}: SecondPlace): Promise<SecondBuild> {
  // An engine that runs elsewhere gets it.
  const folder = resolve(path)
  const isRoot = process.getuid?.() === 0
  const sameUser = isRoot ? await whyRootAgain(checkout, layers) : 'only root can build as another'
  const store = join(folder, alone ? LENT_STORE : NAMES.store)
  const mirror = join(folder, NAMES.mirror)
  // The default is in a place where anyone may make folders and links.
  if ((await claimFolder(folder)) === undefined) await markFolder(folder, MARK)
  for (const name of [store, mirror]) await makeFolder(name)
  // It would find everything built, and report two equal builds.
  if ((await realpath(store)) === (await realpath(first.root)))
    throw unusable('same-store', folder, 'it holds the first store')
  const lock = await lockFolder(folder)
  if (lock === undefined)
    throw unusable('verify-running', folder, 'another verify is at work there')
  return {
    ...{ folder, store, mirror, sameUser, lock },
    checkout: join(folder, NAMES.elsewhere, 'checkout'),
    user: isRoot ? (sameUser === undefined ? OTHER_USER : 0) : undefined,
  }
}

function unusable(
  code: 'same-store' | 'verify-running',
  folder: string,
  why: string,
): FixpointError {
  return new FixpointError(code, `Cannot build a second time in "${folder}": ${why}`)
}

async function whyRootAgain(checkout: string, layers: string): Promise<string | undefined> {
  // Layers of the checkout are copied for the other user.
  if ((await copiedFrom(checkout, layers)) !== undefined) return undefined
  const file = await realpath(layers)
  const command = ['-c', 'test -r "$1" && test -r "$2"', 'sh', file, dirname(file)]
  const { status } = spawnSync('sh', command, {
    cwd: '/',
    uid: OTHER_USER,
    gid: OTHER_USER,
    stdio: 'ignore',
  })
  return status === 0 ? undefined : `others may not read ${layers}`
}

/** The path within the checkout of a layers.yaml; undefined for one that is elsewhere. */
async function copiedFrom(checkout: string, layers: string): Promise<string | undefined> {
  const inside = relative(await realpath(checkout), await realpath(layers))
  return inside.startsWith('..') ? undefined : inside
}

/**
 * Lays out a second build: a copy of the engine and its layers, and as a mirror folder the sources
 * of what it builds, which `find` finds.
 */
export async function prepareSecondBuild(
  second: SecondBuild,
  checkout: string,
  nodes: readonly Node[],
  find: SourceFinder,
  signal: AbortSignal,
): Promise<void> {
  await removeTree(second.checkout)
  const left = new Set([...NOT_COPIED, ...(await developmentPackages(checkout))])
  await cp(checkout, second.checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !left.has(relative(checkout, path)),
  })
  await fillWhole({
    folder: second.mirror,
    sources: nodes.flatMap(sourcesOf),
    find,
    before: 'anything',
    put: linkOrCopy,
    signal,
  })
  if (second.user !== undefined) {
    await chmod(second.folder, 0o755)
    await giveTo(second.user, second.store)
    await giveTo(second.user, second.checkout)
  }
}

/** Removes what a second build left; other things in its folder stay. */
export async function removeSecondBuild({ folder, store }: SecondBuild): Promise<void> {
  const { mirror, elsewhere, home } = NAMES
  await removeFolder(folder, [basename(store), mirror, elsewhere, home])
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

/** Folder of the second store that gets the receipts of its engine. */
export const RECEIPTS = 'receipts'

/** What the second engine is to do. */
export interface SecondRun {
  /** Checkout of the first engine. */
  readonly checkout: string
  /** The layers.yaml that both builds use. */
  readonly layers: string
  readonly targets: readonly RecipeId[]
  /** True when an image is among the targets: an output folder without one is refused. */
  readonly hasImage: boolean
  readonly writesReceipts: boolean
  readonly cores: number
  readonly variations: Variations
  /** Value of PATH, which must have Node's programs. */
  readonly path: string
}

/** Runs the copied engine under the other conditions. Fails with `second-build-failed`. */
export async function runSecondBuild(
  second: SecondBuild,
  run: SecondRun,
  signal: AbortSignal,
): Promise<void> {
  const { user } = second
  const { limits, prefix } = run.variations
  const home = join(second.folder, NAMES.home)
  await removeTree(home) // of a killed run
  await mkdir(home)
  if (user !== undefined) await chown(home, user, user)
  const inside = await copiedFrom(run.checkout, run.layers)
  const copied = inside === undefined ? await realpath(run.layers) : join(second.checkout, inside)
  const main = join(second.checkout, 'dist/src/cli/main.js')
  const output = run.hasImage ? ['-o', join(second.store, 'out')] : []
  const receipts = run.writesReceipts ? ['--receipts', join(second.store, RECEIPTS)] : []
  const command = [
    ...[...prefix, process.execPath, main, '--layers', copied, '--store', second.store],
    ...['build', '-j', String(run.cores), '--offline', '--mirror', second.mirror],
    ...[...output, ...receipts, ...run.targets],
  ]
  // It leads a group of its own: Ctrl-C reaches the first engine only, which ends this one.
  const status = await runOnPipe(
    'sh',
    ['-c', `umask 077\n${limits}${runUntilPipeCloses('TERM')}`, 'sh', ...command],
    {
      cwd: dirname(copied),
      detached: true,
      output: 'ignore',
      env: { ...OTHER_ENVIRONMENT, HOME: home, PATH: run.path },
      ...(user !== undefined && { uid: user, gid: user }),
    },
    signal,
  )
  await removeTree(home)
  signal.throwIfAborted()
  if (status !== 0)
    throw new EngineFailure(
      'second-build-failed',
      `Cannot build a second time: the engine ended with status ${String(status)}`,
      { status },
    )
}
