import { access, constants, realpath, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile } from '../../base/digest.ts'
import { FixpointError, kindOfStatus } from '../../base/error.ts'
import { makeFolder, removeTree } from '../../base/files.ts'
import { explainSystemError } from '../../base/system-error.ts'
import { readDisk, type Partition } from '../../image/disk.ts'
import type { Engine } from '../engine.ts'
import { copyExported } from '../../image/put.ts'
import { checkInstalled, readInstalled } from '../../image/installed.ts'
import { withResumable } from '../../store/resumable.ts'
import { IMAGE, requireWorld, runInWorld, type World } from '../../sandbox/image-root.ts'
import { unpackPartition } from '../../image/partition.ts'
import type { RebuildFlags } from './rebuild.ts'

/**
 * `rebuild --image FILE`: the image rebuilds itself on this host, at its speed. The image's root
 * and mirror are unpacked and checked; in them, with nothing of the host but its kernel, the
 * image's own engine runs `rebuild`. Needs no right to mount. Interrupted, the next run with the
 * same image goes on.
 */
export async function rebuildImageCommand(
  engine: Engine,
  file: string,
  word: string,
  flags: RebuildFlags,
): Promise<void> {
  refuseOutsiders(engine, flags)
  const partitions = await partitionsOf(file)
  if (flags.output !== undefined) await requireOutput(flags.output, file)
  // A rebuild of single recipes leaves alone what an interrupted one of the whole has built.
  const folder = `${(await engine.store()).root}-image${flags.only === undefined ? '' : '-only'}`
  await withResumable(folder, await digestOfFile(file), async () => {
    const world = await layOutWorld(engine, folder, file, partitions)
    const out = flags.output === undefined ? [] : ['--output', '/data/out']
    const command = [
      'fixpoint',
      'rebuild',
      word,
      '--against',
      IMAGE,
      ...out,
      ...optionsOf(engine, flags),
    ]
    const status = await runInWorld(world, command, engine.signal)
    engine.signal.throwIfAborted()
    if (status !== 0) {
      throw new FixpointError(
        kindOfStatus(status),
        'rebuild-failed',
        `Cannot rebuild "${file}": the engine in it ended with status ${String(status)}`,
        { hint: `What it calls /data is "${world.data}"` },
      )
    }
    if (flags.output !== undefined) await takeOut(world.data, 'out', flags.output)
  })
}

/**
 * Makes the output folder, and sees to it that an image of the same size can be put there: before
 * the hours that a rebuild may take.
 */
async function requireOutput(folder: string, file: string): Promise<void> {
  await makeFolder(folder)
  await access(folder, constants.W_OK)
  const [{ size }, { bavail, bsize }] = [await stat(file), await statfs(folder)]
  if (bavail * bsize >= size) return
  throw new FixpointError(
    'hostUnfit',
    'little-space',
    `Cannot put an image of ${String(size)} bytes into "${folder}"`,
    {
      hint: 'The disk is too full: name another folder, or free some space there',
    },
  )
}

/** Brings out what was built. Where that fails, it says where the image is: its rebuild is done. */
async function takeOut(data: string, name: string, to: string): Promise<void> {
  try {
    await copyExported(data, name, to)
  } catch (error) {
    const cause = explainSystemError(error)
    if (!(cause instanceof FixpointError)) throw error
    throw new FixpointError(cause.kind, cause.code, cause.message, {
      hint: `The image was rebuilt and is the same; it lies in "${join(data, name)}" until the next rebuild`,
      cause: error,
    })
  }
}

/**
 * What is in the image decides: fails with `not-with-image` when it is to build other layers, or
 * other sources.
 */
function refuseOutsiders(engine: Engine, { mirror, offline }: RebuildFlags): void {
  const given = { '--layers': engine.options.layers, '--mirror': mirror, '--offline': offline }
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? []
  if (option === undefined) return
  throw new FixpointError('usage', 'not-with-image', `Cannot use ${option} with --image`, {
    hint: 'The image is rebuilt from its own layers and its own sources, without a network',
  })
}

/** The partitions that make a world. Fails with `no-image` or `no-mirror`. */
async function partitionsOf(file: string): Promise<{ root: Partition; mirror: Partition }> {
  const { partitions } = await readDisk(file)
  const [root, mirror] = ['root', 'mirror'].map((name) =>
    partitions.find((partition) => partition.name === name),
  )
  if (root !== undefined && mirror !== undefined) return { root, mirror }
  throw new FixpointError(
    'usage',
    'no-mirror',
    `Cannot rebuild "${file}": it has no partition "${root ? 'mirror' : 'root'}"`,
    { hint: 'Build the image without --without-mirror' },
  )
}

/**
 * Unpacks the image anew, also where another run had done so: whatever ran in there cannot have
 * changed it for this one. What was built, in `data`, stays.
 */
async function layOutWorld(
  { signal }: Engine,
  folder: string,
  file: string,
  partitions: Readonly<Record<'root' | 'mirror', Partition>>,
): Promise<World> {
  const world = {
    root: join(folder, 'root'),
    mirror: join(folder, 'mirror'),
    data: join(folder, 'data'),
    image: await realpath(file),
  }
  await makeFolder(world.data)
  for (const name of ['root', 'mirror'] as const) {
    await removeTree(world[name])
    await unpackPartition(file, partitions[name], world[name], signal)
  }
  await checkInstalled(world.root, await readInstalled(world.root))
  signal.throwIfAborted()
  requireWorld(world.root)
  return world
}

/** What the engine inside is to do as this one was told. */
function optionsOf(
  engine: Engine,
  { only, jobs, memory, keepFailed, keepGoing }: RebuildFlags,
): string[] {
  return [
    ...(only === undefined ? [] : ['--only', only]),
    ...(jobs === undefined ? [] : ['--jobs', String(jobs)]),
    ...(memory === undefined ? [] : ['--memory', String(memory)]),
    ...(keepFailed === true ? ['--keep-failed'] : []),
    ...(keepGoing === true ? ['--keep-going'] : []),
    ...(engine.options.json === true ? ['--json'] : []),
  ]
}
