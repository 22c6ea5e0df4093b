import { HEAD } from './packet.ts'

/** A parity file to write: packets as bytes, or the exponent of a recovery block. */
export interface Volume {
  readonly name: string
  readonly packets: readonly (Buffer | number)[]
}

/**
 * The index NAME.par2, and files NAME.volA+B.par2 with B recovery blocks from exponent A on. B
 * doubles, as it does with other programs; the last file takes the rest. Each file repeats the
 * critical packets between its recovery blocks, once more for each doubling.
 */
export function volumesOf(
  name: string,
  recoveryBlocks: number,
  critical: readonly Buffer[],
  creator: Buffer,
): Volume[] {
  const counts = doublingCounts(recoveryBlocks)
  const last = counts.at(-1) ?? 0
  const firstWidth = String(recoveryBlocks - last).length
  const countWidth = String(Math.max(0, ...counts)).length
  let first = 0
  const volumes = counts.map((count) => {
    const begin = first
    first += count
    const numbers = `${pad(begin, firstWidth)}+${pad(count, countWidth)}`
    return {
      name: `${name}.vol${numbers}.par2`,
      packets: [...interleaved(begin, count, critical), creator],
    }
  })
  return [{ name: `${name}.par2`, packets: [...critical, creator] }, ...volumes]
}

/** Bytes of a packet of a volume. `blockSize` in bytes. */
export function packetLength(packet: Buffer | number, blockSize: number): number {
  return typeof packet === 'number' ? HEAD + 4 + blockSize : packet.length
}

function doublingCounts(total: number): number[] {
  const counts: number[] = []
  let rest = total
  for (let count = 1; rest > 0; count *= 2) {
    // What would remain after the next one goes into this one, if it is less than that.
    const taken = rest < 3 * count ? rest : count
    counts.push(taken)
    rest -= taken
  }
  return counts
}

function* interleaved(
  first: number,
  count: number,
  critical: readonly Buffer[],
): Generator<Buffer | number> {
  const copies = Math.floor(Math.log2(count)) + 1
  const all = Array.from({ length: copies }, () => critical).flat()
  for (let done = 0; done < count; done++) {
    yield first + done
    const [from, to] = [done, done + 1].map((at) => Math.floor((at * all.length) / count))
    yield* all.slice(from, to)
  }
}

function pad(number: number, width: number): string {
  return String(number).padStart(width, '0')
}
