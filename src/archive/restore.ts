import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { counted } from '../base/format.ts'
import { FixpointError } from '../base/error.ts'
import { exists } from '../base/files.ts'
import { copyBeneath } from '../base/put-file.ts'
import { readDisk, type Partition } from '../image/disk.ts'
import { checkInstalled, readInstalled } from '../image/installed.ts'
import { unpackPartition } from '../image/unpack-partition.ts'
import { checkKit } from './kit/check.ts'
import { KIT } from './kit/layout.ts'
import { makeAlone } from './make-alone.ts'
import { treeBelow } from './repair/tree.ts'

/** Where the engine and its checkout are in an image's root. */
const ENGINE = 'usr/lib/fixpoint'

/** What a checkout is made of; the rest of that folder is the compiled engine. */
const COMPILED = ['dist', 'node_modules']

export interface RestoreRequest {
  readonly kit: string
  /** Folder to make. */
  readonly to: string
  /** Whether the sources are copied; otherwise builds read them from the kit. */
  readonly sources: boolean
  readonly signal: AbortSignal
  /** Called before each part of the work. */
  readonly onPart?: ((part: string) => void) | undefined
}

/** What was made of a kit. */
export interface Restored {
  /** The image that engine, programs and artifacts come from, by its path in the kit. */
  readonly image: string
  /** The mirror folder that builds use. */
  readonly sources: string
}

/**
 * Makes a working place of a kit: the program `fixpoint`, the folder `checkout`, and sources. All
 * of it comes from an image in the kit. Its root is unpacked: that holds the engine, the
 * Node that it runs on, the programs that it calls, and all artifacts, which count as stored. So
 * nothing has to be installed, and nothing is fetched.
 *
 * It comes whole or not at all. Fails with `kit-damaged` unless the kit is whole, `no-image`
 * where it has no image with engine and sources, `kit-there`, `kit-busy`, or `disk-full`.
 */
export async function restoreKit(request: RestoreRequest): Promise<Restored> {
  const { kit, signal, onPart } = request
  const to = resolve(request.to)
  const check = async (): Promise<void> => {
    if (await exists(to))
      throw new FixpointError('kit-there', `Cannot restore to "${to}": something is there already`)
  }
  await check()
  onPart?.('check the kit')
  const { faults } = await checkKit(kit, { signal })
  if (faults.length > 0)
    throw new FixpointError('kit-damaged', `Kit "${kit}" has ${counted(faults.length, 'fault')}`, {
      facts: { folder: kit },
    })
  const image = await imageIn(kit)
  await makeAlone(to, { signal, check }, (part) => fill(part, image, request))
  const sources = request.sources ? join(to, 'sources') : join(resolve(kit), KIT.sources)
  return { image: image.path, sources }
}

interface Image {
  /** In the kit. */
  readonly path: string
  readonly root: Partition
}

/** The first image that holds an engine and all sources: it can rebuild itself. */
async function imageIn(kit: string): Promise<Image> {
  const paths = treeBelow(kit).flatMap(({ path, size }) =>
    size !== undefined && path.startsWith(`${KIT.images}/`) && path.endsWith('.img') ? [path] : [],
  )
  for (const path of paths) {
    const { partitions } = await readDisk(join(kit, path))
    const root = partitions.find(({ name }) => name === 'root')
    if (root !== undefined && partitions.some(({ name }) => name === 'mirror'))
      return { path, root }
  }
  throw new FixpointError(
    'no-image',
    `Cannot restore kit "${kit}": it has no image that can rebuild itself`,
  )
}

async function fill(
  part: string,
  image: Image,
  { kit, sources, signal, onPart }: RestoreRequest,
): Promise<void> {
  const root = join(part, 'root')
  onPart?.('unpack the image')
  await unpackPartition(join(kit, image.path), image.root, root, signal)
  await checkInstalled(root, await readInstalled(root))
  onPart?.('copy checkout and sources')
  const engine = join(root, ENGINE)
  await cp(engine, join(part, 'checkout'), {
    recursive: true,
    filter: (path) => !COMPILED.some((name) => path === join(engine, name)),
  })
  if (sources) await copySources(kit, part, signal)
  const mirror = sources ? '../../sources' : join(resolve(kit), KIT.sources)
  await mkdir(join(part, 'config/fixpoint'), { recursive: true })
  await writeFile(join(part, 'config/fixpoint/config.yaml'), configuration(mirror))
  await writeFile(join(part, 'fixpoint'), FRONT, { mode: 0o755 })
}

async function copySources(kit: string, part: string, signal: AbortSignal): Promise<void> {
  for (const { path } of treeBelow(join(kit, KIT.sources))) {
    signal.throwIfAborted()
    await copyBeneath(kit, `${KIT.sources}/${path}`, part, `sources/${path}`)
  }
}

function configuration(mirror: string): string {
  return `# What is in the image's root counts as stored.
store: ../../store
mirrors: [${JSON.stringify(mirror)}]
installed: ../../root
`
}

/** Its own programs come last: those of the machine may have rights that others lack. */
const FRONT = `#!/bin/sh
# Starts the engine of this folder with the Node of the image that it comes from.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd)
PATH=\${PATH:-/usr/bin:/bin}:$here/root/usr/bin
XDG_CONFIG_HOME=$here/config
export PATH XDG_CONFIG_HOME
exec "$here/root/usr/bin/node" "$here/root/${ENGINE}/dist/src/cli/main.js" "$@"
`
