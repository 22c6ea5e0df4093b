/** A part of every block: its position and length in bytes. */
export interface Stripe {
  readonly at: number
  readonly length: number
}

/** Cuts blocks so that `buffers` parts of them fit into `memory` bytes. Lengths are even. */
export function* stripes(blockSize: number, buffers: number, memory: number): Generator<Stripe> {
  const width = stripeWidth(blockSize, buffers, memory)
  for (let at = 0; at < blockSize; at += width)
    yield { at, length: Math.min(width, blockSize - at) }
}

/** Bytes of the longest stripe. */
export function stripeWidth(blockSize: number, buffers: number, memory: number): number {
  return Math.min(blockSize, Math.max(4, Math.floor(memory / buffers / 4) * 4))
}
