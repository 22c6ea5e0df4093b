import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ifThere } from '../../base/files.ts'
import { FixpointError } from '../../base/error.ts'
import { visible } from '../../base/visible.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'
import { describeOrigin } from '../view/format.ts'
import { readerLeft } from '../view/output.ts'

/** Options of `log`. */
export interface LogFlags {
  readonly follow?: boolean
}

/** How often a log that is followed is looked at, milliseconds. */
const TICK = 300

/** `log RECIPE`: the log of its last action. */
export async function logCommand(
  command: CommandContext,
  word: string,
  { follow = false }: LogFlags,
): Promise<void> {
  const [metadata, store] = [await command.metadata(), await command.store()]
  const id = resolveTarget(metadata, word)
  if (follow) {
    command.endByInterrupt()
    await followLog(() => store.logs.newest(id), command.signal)
    return
  }
  const path = await store.logs.newest(id)
  const last = store.index.history(id).at(-1)
  const origin = last && store.index.find(last.name)?.origin
  const elsewhere =
    origin !== undefined &&
    'cache' in origin &&
    `its last result was made elsewhere, by "${origin.builder}" (${describeOrigin(origin)}); ` +
      'the log stayed there'
  if (path === undefined)
    throw new FixpointError(
      'no-log',
      `Cannot show a log of ${id}: ${elsewhere || 'it was never built on this store'}`,
    )
  const at = command.now()
  if (elsewhere !== false) {
    const message = `This log of ${id} is of an earlier action: ${elsewhere}`
    command.emit({ type: 'warning', at, message })
  } else if (origin !== undefined)
    command.emit({ type: 'phase', at, message: `${id}: ${describeOrigin(origin)}` })
  await command.settle()
  await printFile(path, command.signal)
}

/**
 * Prints the newest log as it grows, and then the next one, until the user interrupts. It may be
 * missing yet.
 */
async function followLog(
  newest: () => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const unlessEnded = (error: unknown): void => {
    if (!signal.aborted) throw error
  }
  let shown: { readonly path: string; readonly size: number } | undefined
  while (!signal.aborted && !readerLeft()) {
    const path = await newest()
    const size = path === undefined ? undefined : (await ifThere(stat(path)))?.size
    if (path !== undefined && size !== undefined) {
      // The log of the same action may begin again.
      const start = shown?.path === path && shown.size <= size ? shown.size : 0
      if (size > start) await printFile(path, signal, { start, end: size - 1 }).catch(unlessEnded)
      shown = { path, size }
    }
    await sleep(TICK, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Piece by piece: a log may be larger than memory. A terminal would act on what a step has printed;
 * a pipe gets it as it is.
 */
async function printFile(
  path: string,
  signal: AbortSignal,
  range: { readonly start?: number; readonly end?: number } = {},
): Promise<void> {
  const onTerminal = process.stdout.isTTY
  try {
    const pieces = createReadStream(path, { ...range, ...(onTerminal && { encoding: 'utf8' }) })
    await pipeline(onTerminal ? shownPieces(pieces) : pieces, process.stdout, {
      end: false,
      signal,
    })
  } catch (error) {
    // Nobody reads on, as after `| head`, which also aborts: an end like any other.
    if (!readerLeft()) throw error
  }
}

async function* shownPieces(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) yield visible(piece, { lines: true })
}
