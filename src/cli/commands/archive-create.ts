import { counted } from '../../base/format.ts'
import { gather } from '../../archive/kit/contents.ts'
import { createKit, createKitTar } from '../../archive/kit/create.ts'
import { readTexts } from '../../archive/kit/texts.ts'
import { readRecordOf } from '../../image/read-record.ts'
import { graphOf } from '../../plan/graph.ts'
import { buildContext, findSources, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { CHECKOUT } from '../defaults.ts'
import { resolveTarget } from '../targets.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `archive create`. */
export interface ArchiveCreateFlags extends Pick<BuildFlags, 'mirror' | 'offline'> {
  readonly parity: number
  /** Makes one tar file. */
  readonly tar?: boolean
}

/** `archive create DIR [IMAGE…]`: makes a kit of images and all that they can be rebuilt from. */
export async function archiveCreateCommand(
  command: CommandContext,
  target: string,
  paths: readonly string[],
  flags: ArchiveCreateFlags,
): Promise<void> {
  const images = await Promise.all(paths.map(readRecordOf))
  const metadata = await command.metadata()
  const ids = images.map(({ record }) => resolveTarget(metadata, record.recipe))
  const plan = await command.plan(graphOf(metadata, ids), ids)
  const context = await buildContext(command, flags)
  const { store, signal, emit, now } = { ...context, signal: command.signal }
  const find = findSources(command, context)
  const contents = await gather(images, { store, find, plan, signal })
  const onPart = (message: string): void => {
    emit({ type: 'phase', at: now(), message })
  }
  const texts = await readTexts(CHECKOUT)
  const options = { target, texts, parity: flags.parity, store, signal, onPart }
  const packed = flags.tar === true ? await createKitTar(contents, options) : undefined
  const created = packed ?? (await createKit(contents, options))
  const { id, files, bytes, parityBytes } = created
  await command.result(
    [
      `${target}: ${counted(files, 'file')}, ${formatBytes(bytes)}, ` +
        `and ${formatBytes(parityBytes)} of parity`,
      'For the label:',
      `  Fixpoint kit ${id.slice(0, 8)}: ${contents.images.map(({ name }) => name).join(', ')}`,
      `  ID ${id.slice(0, 32)}`,
      `     ${id.slice(32)}`,
      ...(packed === undefined
        ? []
        : [`Of the tar file: ${formatBytes(packed.size)}`, `sha256 ${packed.sha256}`]),
    ],
    {
      type: 'kit',
      ...{ folder: target, id, files, bytes, parityBytes },
      tar: packed === undefined ? undefined : { sha256: packed.sha256, size: packed.size },
    },
  )
}
