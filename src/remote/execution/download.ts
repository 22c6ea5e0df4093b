import type { Digest } from '../../base/digest.ts'
import { openSink, type Sink } from '../../fetch/hashed-file.ts'
import { attempts } from './attempts.ts'
import type { Connection } from './connection.ts'
import { asFault, RemoteFault } from './fault.ts'
import { Progress } from './progress.ts'

/** What is to be read. */
export interface Wanted {
  readonly hash: Digest
  readonly size: number
}

/**
 * Reads a blob into a new file at `path`, and compares it with its digest on the way. What was cut
 * goes on from there. Fails with a {@link RemoteFault}, or as {@link openSink} does.
 */
export async function download(
  wanted: Wanted,
  path: string,
  connection: Connection,
  signal: AbortSignal,
): Promise<void> {
  const { hash, size } = wanted
  const sink = await openSink(path)
  try {
    if (size > 0)
      await attempts(connection.limits, signal, () => readRest(wanted, sink, connection, signal))
    const digest = sink.digest()
    if (digest !== hash)
      throw new RemoteFault('broken', `blob ${hash} came with other bytes, sha256 is ${digest}`)
  } finally {
    await sink.close()
  }
}

async function readRest(
  { hash, size }: Wanted,
  sink: Sink,
  { instance, limits, stream }: Connection,
  signal: AbortSignal,
): Promise<void> {
  const doing = `it does not deliver blob ${hash}`
  const progress = new Progress(signal, limits.idleMs)
  const prefix = instance === '' ? '' : `${instance}/`
  try {
    const pieces = stream.read(
      {
        resourceName: `${prefix}blobs/${hash}/${size}`,
        readOffset: BigInt(sink.bytes),
        readLimit: 0n,
      },
      { signal: progress.signal },
    )
    for await (const { data } of pieces) {
      progress.moved()
      if (sink.bytes + data.length > size)
        throw new RemoteFault('broken', `blob ${hash} came with more than its ${size} bytes`)
      await sink.write(data)
    }
    if (sink.bytes < size)
      throw new RemoteFault('lost', `blob ${hash} was cut after ${sink.bytes} of ${size} bytes`)
  } catch (error) {
    throw asFault(progress.end(error, doing), doing)
  } finally {
    progress.stop()
  }
}
