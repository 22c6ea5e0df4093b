import { access, constants, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile } from '../base/digest.ts'
import { EngineFailure, FixpointError } from '../base/error.ts'
import { freeBytes, makeFolder } from '../base/files.ts'
import { removeTree } from '../base/remove-tree.ts'
import { explainSystemError } from '../base/system-error.ts'
import { readDisk, type Partition } from '../image/disk.ts'
import { checkInstalled, readInstalled } from '../image/installed.ts'
import { unpackPartition } from '../image/unpack-partition.ts'
import { copyPutImage } from '../image/put.ts'
import {
  IMAGE,
  requireImageRoot,
  runInImageRoot,
  type ImageRoot,
  type Terminal,
} from '../sandbox/image-root.ts'
import { withResumable } from '../store/resumable.ts'

/** Folder of the image's data that gets the receipts of its engine. */
const RECEIPTS = 'receipts'

/** An image file that is to rebuild itself on this host. */
export interface ImageRebuild {
  readonly file: string
  /** Recipe of the image, as a word. */
  readonly recipe: string
  /** Only some recipes are rebuilt, see `options`. */
  readonly isPartial: boolean
  /** Options of `rebuild` for the engine in the image. */
  readonly options: readonly string[]
  /** Where the image that was built is put; undefined: nowhere. */
  readonly output: string | undefined
  /** Path that the folders of rebuilds begin with. */
  readonly beside: string
  /** Takes the receipts out of a folder that the image's engine wrote them into. */
  readonly takeReceipts: ((root: string, name: string) => Promise<void>) | undefined
  readonly terminal: Terminal
}

/**
 * The image rebuilds itself on this host, at the host's speed. Its root and mirror are unpacked and
 * checked. The image's own engine then runs `rebuild` in them, with nothing of the host but its
 * kernel. Needs no right to mount. After an interruption, the next run with the same image goes on.
 * Fails with `rebuild-failed`, `output-full` or `no-mirror`.
 */
export async function rebuildImage(request: ImageRebuild, signal: AbortSignal): Promise<void> {
  const { file, recipe, output } = request
  const partitions = await partitionsOf(file)
  if (output !== undefined) await requireOutput(output, file)
  // A rebuild of single recipes leaves alone what an interrupted one of the whole has built.
  const folder = `${request.beside}-image${request.isPartial ? '-only' : ''}`
  await withResumable(folder, await digestOfFile(file), async () => {
    const place = await layOut(folder, file, partitions, signal)
    const out = output === undefined ? [] : ['--output', '/data/out']
    const receipts = request.takeReceipts === undefined ? [] : ['--receipts', `/data/${RECEIPTS}`]
    const options = [...out, ...receipts, ...request.options]
    const command = ['fixpoint', 'rebuild', recipe, '--against', IMAGE, ...options]
    const status = await runInImageRoot(place, command, request.terminal, signal)
    signal.throwIfAborted()
    // Also of a rebuild that failed: what ran, ran.
    await request.takeReceipts?.(place.data, RECEIPTS)
    if (status !== 0) {
      throw new EngineFailure(
        'rebuild-failed',
        `Cannot rebuild "${file}": the engine in it ended with status ${String(status)}`,
        { status, facts: { folder: place.data } },
      )
    }
    if (output !== undefined) await takeOut(place.data, 'out', output)
  })
}

/**
 * Makes the output folder, and sees to it that an image of the same size can be put there: before
 * the hours that a rebuild may take.
 */
async function requireOutput(folder: string, file: string): Promise<void> {
  await makeFolder(folder)
  await access(folder, constants.W_OK)
  const { size } = await stat(file)
  if ((await freeBytes(folder)) >= size) return
  throw new FixpointError(
    'output-full',
    `Cannot put an image of ${String(size)} bytes into "${folder}": the disk is too full`,
  )
}

/** Brings out what was built. Where that fails, it says where the image is: its rebuild is done. */
async function takeOut(data: string, name: string, to: string): Promise<void> {
  try {
    await copyPutImage(data, name, to)
  } catch (error) {
    const cause = explainSystemError(error)
    if (!(cause instanceof FixpointError)) throw error
    const done = `the image was rebuilt and is the same; it is kept in "${join(data, name)}"`
    throw new FixpointError(cause.code, `${cause.message}\n  ${done} until the next rebuild`, {
      facts: cause.facts,
      cause: error,
    })
  }
}

/** The partitions that are unpacked. Fails with `no-image` or `no-mirror`. */
async function partitionsOf(file: string): Promise<{ root: Partition; mirror: Partition }> {
  const { partitions } = await readDisk(file)
  const [root, mirror] = ['root', 'mirror'].map((name) =>
    partitions.find((partition) => partition.name === name),
  )
  if (root !== undefined && mirror !== undefined) return { root, mirror }
  throw root === undefined
    ? new FixpointError('no-image', `Cannot rebuild "${file}": it has no partition "root"`)
    : new FixpointError('no-mirror', `Cannot rebuild "${file}": it has no partition "mirror"`)
}

/**
 * Unpacks the image anew, also where another run had done so: whatever ran in there cannot have
 * changed it for this one. What was built, in `data`, stays.
 */
async function layOut(
  folder: string,
  file: string,
  partitions: Readonly<Record<'root' | 'mirror', Partition>>,
  signal: AbortSignal,
): Promise<ImageRoot> {
  const place = {
    root: join(folder, 'root'),
    mirror: join(folder, 'mirror'),
    data: join(folder, 'data'),
    image: await realpath(file),
  }
  await makeFolder(place.data)
  for (const name of ['root', 'mirror'] as const) {
    await removeTree(place[name])
    await unpackPartition(file, partitions[name], place[name], signal)
  }
  await checkInstalled(place.root, await readInstalled(place.root))
  signal.throwIfAborted()
  requireImageRoot(place.root)
  return place
}
