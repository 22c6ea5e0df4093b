import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { digestOf, type Digest } from '../../base/digest.ts'
import { PIECE } from './limits.ts'

/** Bytes that a server is to have: in memory, or in a file that was compared with its digest. */
export type Blob = { readonly hash: Digest; readonly size: number } & (
  | { readonly data: Uint8Array; readonly path?: undefined }
  | { readonly path: string; readonly data?: undefined }
)

/** How the protocol names bytes. */
export interface BlobDigest {
  readonly hash: Digest
  readonly sizeBytes: bigint
}

export function blobOf(data: Uint8Array): Blob {
  return { hash: digestOf(data), size: data.length, data }
}

export async function fileBlob(hash: Digest, path: string): Promise<Blob> {
  return { hash, path, size: (await stat(path)).size }
}

export function digestOfBlob({ hash, size }: Pick<Blob, 'hash' | 'size'>): BlobDigest {
  return { hash, sizeBytes: BigInt(size) }
}

/** The bytes of a blob, piece by piece; none of an empty one. */
export async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  if (blob.path !== undefined) {
    yield* createReadStream(blob.path, { highWaterMark: PIECE }) as AsyncIterable<Uint8Array>
    return
  }
  for (let at = 0; at < blob.size; at += PIECE) yield blob.data.subarray(at, at + PIECE)
}
