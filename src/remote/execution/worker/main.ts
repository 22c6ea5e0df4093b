/*
 * What a worker runs, in the folder that the server has laid out for it: the engine itself. It
 * makes a store of the inputs there and runs the action as it would at home. Everything that it
 * starts is an input, too.
 */
import {
  constants,
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { asDigest } from '../../../base/digest.ts'
import { FixpointError } from '../../../base/error.ts'
import type { RecipeId } from '../../../base/recipe-id.ts'
import { Discards } from '../../../build/background-removal.ts'
import type { Action, ActionResult } from '../../../build/executor.ts'
import { Jobserver, MOST_CORES } from '../../../build/jobserver.ts'
import { LocalExecutor } from '../../../build/local-executor.ts'
import { requireClock } from '../../../build/clock.ts'
import { requireOwnStore } from '../../../build/store-owner.ts'
import { removeTree } from '../../../base/remove-tree.ts'
import { MOUNT_POINTS } from '../../../sandbox/bwrap.ts'
import { requireSandbox } from '../../../sandbox/probe.ts'
import { bringPrograms } from '../../../sandbox/programs.ts'
import { blobPath } from '../../../store/local/layout.ts'
import { Store } from '../../../store/store.ts'
import { LAYOUT, PROGRAMS, type ActionText, type ResultText } from './document.ts'

process.umask(0o022)
const text = JSON.parse(await readFile(LAYOUT.document, 'utf8')) as ActionText
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(signal, () => {
    stop.abort()
  })
// Its locks are held by children, which end with it.
process.exit(await main())

async function main(): Promise<number> {
  await mkdir(dirname(LAYOUT.log), { recursive: true })
  await writeFile(LAYOUT.log, '')
  await writeFile(LAYOUT.artifact, '')
  try {
    bringPrograms(await programs())
    const result = await run(actionOf(text))
    await say({ key: text.key, ...result })
    return 0
  } catch (error) {
    await say({ key: text.key, failure: failureOf(error) })
    return 1
  }
}

/** The programs that the engine starts, as a folder: all of them are in the input root. */
async function programs(): Promise<string> {
  const folder = join(process.cwd(), LAYOUT.programs)
  const runner = join(process.cwd(), LAYOUT.runner)
  await mkdir(folder)
  const own = await readdir(runner)
  for (const name of PROGRAMS)
    await symlink(join(runner, own.includes(name) ? name : 'busybox'), join(folder, name))
  return folder
}

function actionOf({ artifacts, ...rest }: ActionText): Action {
  return {
    ...rest,
    artifacts: new Map(artifacts.map(([recipe, artifact]) => [recipe as RecipeId, artifact])),
  }
}

async function run(action: Action): Promise<ActionResult> {
  const now = (): number => performance.now()
  const emit = (): void => undefined
  const store = await Store.open(join(process.cwd(), 'store'), { emit, now })
  requireClock()
  requireSandbox(await probeRoot())
  await requireOwnStore(store.root)
  await fill(store, action)
  const discards = new Discards()
  const executor = new LocalExecutor({
    ...{ store, emit, now, discards, keepFailed: false, roots: undefined },
    jobserver: new Jobserver(Math.min(availableParallelism(), MOST_CORES)),
  })
  const log = join(process.cwd(), LAYOUT.log)
  const result = await executor.run(action, { log, signal: stop.signal })
  await rename(blobPath(store.root, result.artifact), LAYOUT.artifact)
  // Modes of unpacked folders could keep the server from removing them.
  await Promise.all([discards.settled(), removeTree(store.root).catch(() => undefined)])
  return result
}

/** A root with nothing but a shell: the worker itself may have none. */
async function probeRoot(): Promise<string> {
  const root = join(process.cwd(), 'probe')
  for (const name of [...MOUNT_POINTS, 'bin']) await mkdir(join(root, name), { recursive: true })
  await copyFile(join(LAYOUT.runner, 'busybox'), join(root, 'bin/sh'))
  return root
}

/**
 * Puts the inputs into the store, where they are compared with their digests when they are used.
 * Sources are copied: their mode and times are set, and the server may have linked its own file
 * here.
 */
async function fill(store: Store, action: Action): Promise<void> {
  const artifacts = new Set(action.artifacts.values())
  for (const { artifact } of action.document.contents) artifacts.add(artifact)
  for (const name of await readdir(LAYOUT.blobs)) {
    const digest = asDigest(name)
    const path = blobPath(store.root, digest)
    await mkdir(dirname(path), { recursive: true })
    const from = join(LAYOUT.blobs, name)
    const copied = (): Promise<void> => copyFile(from, path, constants.COPYFILE_FICLONE)
    if (artifacts.has(digest)) await link(from, path).catch(copied)
    else await copied()
  }
}

async function say(result: ResultText): Promise<void> {
  await writeFile(LAYOUT.result, JSON.stringify(result))
}

function failureOf(error: unknown): { code: string; message: string; step?: string } {
  if (!(error instanceof FixpointError))
    return { code: '', message: error instanceof Error ? error.message : String(error) }
  const { code, message, facts } = error
  return { code, message, ...(facts.step === undefined ? {} : { step: facts.step }) }
}
