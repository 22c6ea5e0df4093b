import { readFile } from 'node:fs/promises'
import PQueue from 'p-queue'
import { digestOf, type Digest } from '../../base/digest.ts'
import { digestOfBlob, piecesOf, type Blob } from './blob.ts'
import type { Connection } from './connection.ts'
import { asFault, kindOfCode, RemoteFault } from './fault.ts'
import { SMALL } from './limits.ts'
import type { WriteRequest } from './messages/google/bytestream/bytestream_pb.ts'
import { Progress } from './progress.ts'
import { attempts } from './attempts.ts'

/** Large blobs that are sent at once. */
const STREAMS = 2

/** Digests in one question: each takes about 75 bytes, and a message at most 4 MiB. */
const QUESTION = 20_000

/** What an upload works with: `init` of a message, without its brands. */
type Piece = Pick<WriteRequest, 'resourceName' | 'writeOffset' | 'finishWrite' | 'data'>

/** Sends blobs to a server. No blob is sent twice at once. */
export class Uploads {
  readonly #connection: Connection
  readonly #streams = new PQueue({ concurrency: STREAMS })
  readonly #underWay = new Map<Digest, Promise<void>>()
  #serial = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /**
   * Makes sure that the server has these blobs. Resolves to the number that it lacked. Fails with a
   * {@link RemoteFault}.
   */
  async send(blobs: readonly Blob[], signal: AbortSignal): Promise<number> {
    const lacking = await this.missing(blobs, signal)
    const batch: Blob[] = []
    const sending: Promise<void>[] = []
    for (const blob of lacking) {
      const underWay = this.#underWay.get(blob.hash)
      if (underWay !== undefined) sending.push(underWay)
      else if (blob.size <= SMALL) batch.push(blob)
      else sending.push(this.#note([blob], this.#stream(blob, signal)))
    }
    for (const some of this.#batches(batch))
      sending.push(this.#note(some, this.#sendBatch(some, signal)))
    const ends = await Promise.allSettled(sending)
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    return lacking.length
  }

  /** Those that the server lacks. Fails with a {@link RemoteFault}. */
  async missing(blobs: readonly Blob[], signal: AbortSignal): Promise<Blob[]> {
    const { instance, limits, storage } = this.#connection
    const byHash = new Map(blobs.map((blob) => [blob.hash as string, blob]))
    const all = [...byHash.values()]
    const lacking: Blob[] = []
    for (let at = 0; at < all.length; at += QUESTION) {
      const blobDigests = all.slice(at, at + QUESTION).map(digestOfBlob)
      const said = await attempts(limits, signal, () =>
        storage
          .findMissingBlobs(
            { instanceName: instance, blobDigests },
            { signal, timeoutMs: limits.callMs },
          )
          .catch((error: unknown) => {
            throw asFault(error, 'it does not say which blobs it has')
          }),
      )
      for (const { hash } of said.missingBlobDigests) {
        const blob = byHash.get(hash)
        if (blob !== undefined) lacking.push(blob)
      }
    }
    return lacking
  }

  /** Groups of blobs that one call takes. */
  #batches(blobs: readonly Blob[]): Blob[][] {
    const groups: Blob[][] = []
    let room = 0
    for (const blob of blobs) {
      const size = blob.size + 128 // for its digest
      if (size > room) {
        groups.push([])
        room = this.#connection.batchBytes
      }
      groups.at(-1)?.push(blob)
      room -= size
    }
    return groups
  }

  #note(blobs: readonly Blob[], work: Promise<void>): Promise<void> {
    const noted = work.finally(() => {
      for (const { hash } of blobs) this.#underWay.delete(hash)
    })
    for (const { hash } of blobs) this.#underWay.set(hash, noted)
    return noted
  }

  async #sendBatch(blobs: readonly Blob[], signal: AbortSignal): Promise<void> {
    const { instance, limits, storage } = this.#connection
    const requests = await Promise.all(
      blobs.map(async (blob) => ({
        digest: digestOfBlob(blob),
        data: blob.data ?? (await readFile(blob.path)),
      })),
    )
    const said = await attempts(limits, signal, () =>
      storage
        .batchUpdateBlobs(
          { instanceName: instance, requests },
          { signal, timeoutMs: limits.callMs },
        )
        .catch((error: unknown) => {
          throw asFault(error, 'it does not take blobs')
        }),
    )
    for (const { digest, status } of said.responses) {
      if (status !== undefined && status.code !== 0)
        throw new RemoteFault(
          kindOfCode(status.code),
          `it does not take blob ${digest?.hash ?? ''}: ${status.message}`,
        )
    }
  }

  async #stream(blob: Blob, signal: AbortSignal): Promise<void> {
    const { limits } = this.#connection
    await this.#streams.add(() => attempts(limits, signal, () => this.#write(blob, signal)))
  }

  async #write(blob: Blob, signal: AbortSignal): Promise<void> {
    const { limits, stream } = this.#connection
    const doing = `it does not take blob ${blob.hash}`
    const progress = new Progress(signal, limits.idleMs)
    try {
      const { committedSize } = await stream.write(this.#pieces(blob, progress), {
        signal: progress.signal,
      })
      if (committedSize !== BigInt(blob.size))
        throw new RemoteFault('broken', `${doing}: it took ${committedSize} of ${blob.size} bytes`)
    } catch (error) {
      throw asFault(progress.end(error, doing), doing)
    } finally {
      progress.stop()
    }
  }

  async *#pieces(blob: Blob, progress: Progress): AsyncGenerator<Piece> {
    const resourceName = this.#writeName(blob)
    let at = 0
    for await (const data of piecesOf(blob)) {
      const end = at + data.length
      progress.moved()
      yield {
        resourceName: at === 0 ? resourceName : '',
        writeOffset: BigInt(at),
        finishWrite: end === blob.size,
        data,
      }
      at = end
    }
  }

  /** A name that no other upload has, of whatever engine: its UUID is of a digest. RFC 9562, 8. */
  #writeName({ hash, size }: Blob): string {
    const { instance, unique } = this.#connection
    this.#serial += 1
    const digits = digestOf(`${unique} ${this.#serial}`)
    const own = `${digits.slice(0, 12)}8${digits.slice(13, 16)}8${digits.slice(17, 32)}`
    const uuid = own.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    const prefix = instance === '' ? '' : `${instance}/`
    return `${prefix}uploads/${uuid}/blobs/${hash}/${size}`
  }
}
