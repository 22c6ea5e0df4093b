import { once } from 'node:events'
import { Parser } from 'tar/parse'
import type { ReadEntry } from 'tar/read-entry'
import { FixpointError } from '../base/error.ts'
import { unpacked } from '../base/unpacked.ts'

/**
 * Calls `onEntry` for each entry of a tarball of sources, whatever packed it; that reads the entry,
 * or passes it over by `resume`. Whoever aborts `reading` ends it. Rejects with the reason of that,
 * and for a tarball that is damaged.
 */
export async function readTar(
  packed: AsyncIterable<Buffer>,
  onEntry: (entry: ReadEntry) => void,
  reading: AbortController,
): Promise<void> {
  const parser = new Parser({ strict: true })
  parser.on('error', (error: unknown) => {
    reading.abort(error)
  })
  parser.on('entry', onEntry)
  await feed(parser, unpacked(packed), reading.signal)
}

/** Whether an entry is a regular file. */
export function isFile({ type }: ReadEntry): boolean {
  return ['File', 'OldFile', 'ContiguousFile'].includes(type)
}

/** The error of a tarball that is damaged, or of a kind that is not known here. */
export function unreadable(name: string, cause: unknown): FixpointError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new FixpointError('source-unreadable', `Cannot look into "${name}": ${why}`, {
    cause,
  })
}

/**
 * Writes all chunks to the parser, as fast as it takes them. Rejects with the reason of `failed`.
 */
async function feed(
  parser: Parser,
  chunks: AsyncIterable<Buffer>,
  failed: AbortSignal,
): Promise<void> {
  const failure = aborted(failed)
  failure.catch(() => undefined) // when nothing waits
  for await (const chunk of chunks) {
    if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), failure])
    failed.throwIfAborted()
  }
  const ended = once(parser, 'end')
  parser.end()
  await Promise.race([ended, failure])
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
}
