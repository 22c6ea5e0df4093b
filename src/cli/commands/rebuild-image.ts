import { cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile } from '../../base/digest.ts'
import { FixpointError, EXIT, type FailureKind } from '../../base/error.ts'
import { removeTree } from '../../base/files.ts'
import { readDisk } from '../../image/disk.ts'
import type { Engine } from '../engine.ts'
import { readInstalled } from '../installed.ts'
import { IMAGE, runInWorld } from '../world/enter.ts'
import { checkRoot, unpackPartition } from '../world/unpack-image.ts'
import type { RebuildFlags } from './rebuild.ts'

/**
 * `rebuild --image FILE`: the image rebuilds itself on this host, at its speed. The image's root and mirror are unpacked and checked; in them, with nothing of
 * the host but its kernel, the image's own engine runs `rebuild`. Needs no right to mount. Interrupted, the next run with the same image goes on.
 */
export async function rebuildImageCommand(
  engine: Engine,
  file: string,
  word: string,
  flags: RebuildFlags,
): Promise<void> {
  const { partitions } = await readDisk(file)
  const [root, mirror] = ['root', 'mirror'].map((name) => partitions.find((partition) => partition.name === name))
  if (root === undefined || mirror === undefined) {
    throw new FixpointError(
      'usage',
      'no-mirror',
      `Cannot rebuild "${file}": it has no partition "${root ? 'mirror' : 'root'}"`,
      {
        hint: 'Build the image without --without-mirror',
      },
    )
  }
  const { root: store } = await engine.store()
  const folder = `${store}-image`
  const parts = { root: join(folder, 'root'), mirror: join(folder, 'mirror'), data: join(folder, 'data') }
  const digest = await digestOfFile(file)
  if ((await readFile(join(folder, 'OF'), 'utf8').catch(() => undefined)) !== digest) {
    await removeTree(folder)
    await mkdir(parts.data, { recursive: true })
    await writeFile(join(folder, 'OF'), digest)
  }
  // Unpacked anew unless it was to its end: whatever ran in them before cannot have changed them for this run.
  for (const partition of [root, mirror]) {
    const target = join(folder, partition.name)
    await removeTree(target)
    await unpackPartition(file, partition, target)
  }
  await checkRoot(parts.root, await readInstalled(parts.root))
  const out = flags.output === undefined ? [] : ['--output', '/data/out']
  const command = ['fixpoint', 'rebuild', word, '--against', IMAGE, ...out, ...optionsOf(engine, flags)]
  const status = await runInWorld({ ...parts, image: await realpath(file) }, command, engine.signal)
  engine.signal.throwIfAborted()
  if (status !== 0) {
    throw new FixpointError(
      kindOf(status),
      'rebuild-failed',
      `Cannot rebuild "${file}": the engine in it ended with status ${String(status)}`,
    )
  }
  if (flags.output !== undefined) await cp(join(parts.data, 'out'), flags.output, { recursive: true })
  await removeTree(folder)
}

/** What the engine inside is to do as this one was told. */
function optionsOf(engine: Engine, { only, jobs, memory, keepFailed, keepGoing }: RebuildFlags): string[] {
  return [
    ...(only === undefined ? [] : ['--only', only]),
    ...(jobs === undefined ? [] : ['--jobs', String(jobs)]),
    ...(memory === undefined ? [] : ['--memory', String(memory)]),
    ...(keepFailed === true ? ['--keep-failed'] : []),
    ...(keepGoing === true ? ['--keep-going'] : []),
    ...(engine.options.json === true ? ['--json'] : []),
  ]
}

function kindOf(status: number | null): FailureKind {
  const found = Object.entries(EXIT).find(([name, code]) => code === status && name !== 'ok')
  return (found?.[0] as FailureKind | undefined) ?? 'buildFailed'
}
