import { paddedMd5 } from './blocks.ts'
import { CHECKSUM_BYTES, MD5_BYTES } from './bodies.ts'
import { paddedCrc, rollingCrc, type Rolling } from './crc.ts'
import { FileWindow, readWhatIsLeft, type OpenedFile } from './files-below.ts'
import type { ProtectedFile, RecoverySet } from './recovery-set.ts'
import { Effort, type Work } from './work.ts'

/** Bits of a CRC that the quick look at it uses. */
const QUICK_BITS = 20

/** Bytes that the window rolls on at once at least. */
const ROLL = 1 << 16

/**
 * Bytes that may be hashed in vain, for each byte of the searched files and in all. A hostile set
 * can hold the right CRC and a wrong MD5 of every position. Chance needs less than eight times the
 * files, in the largest set. A match costs something, too, however short the block is.
 */
const EFFORT_PER_BYTE = 16
const EFFORT = 256 << 20
const EFFORT_PER_MATCH = 1024

/** Bytes of the window on a searched file at least. */
const WINDOW = 1 << 20

/** A block of known checksums, by its index in the set. */
interface KnownBlock {
  readonly index: number
  readonly md5: Buffer
  readonly crc: number
  /** Bytes that are not padding. */
  readonly length: number
}

/**
 * Called with each block that is found, and its position in the searched file. Of equal blocks it
 * is the expected one, or the first.
 */
type Found = (index: number, at: number) => void

/**
 * Finds blocks of a set in any file, at any position: a CRC-32 rolls over the file byte by byte,
 * and an MD5 confirms what it finds. The end of the file counts as padded with zeros.
 */
export class BlockFinder {
  readonly #blockSize: number
  /** Different blocks by their CRC. */
  readonly #blocks = new Map<number, KnownBlock[]>()
  readonly #byIndex = new Map<number, KnownBlock>()
  readonly #quick = new Uint8Array(1 << QUICK_BITS)
  readonly #rolling: Rolling
  readonly #buffer: Buffer
  readonly #effort = new Effort(EFFORT)
  readonly #roll: number
  readonly #work: Work

  constructor({ files, blockSize }: RecoverySet, work: Work) {
    this.#blockSize = blockSize
    this.#rolling = rollingCrc(blockSize)
    this.#roll = Math.max(ROLL, blockSize)
    this.#buffer = Buffer.allocUnsafe(Math.max(WINDOW, blockSize + this.#roll))
    this.#work = work
    for (const file of files) this.#learn(file)
  }

  /**
   * Searches an open file. `expected` is a protected file that it may be: so its last block is
   * found although other bytes follow. Gives up where the file costs too much.
   */
  async search(file: OpenedFile, expected: ProtectedFile | undefined, found: Found): Promise<void> {
    const window = new FileWindow(file, this.#buffer, readWhatIsLeft)
    this.#effort.allow(EFFORT_PER_BYTE * file.size)
    const own = await this.#ownBlocks(window, expected, found)
    let next = expected?.firstBlock
    for (let at = 0, step = 0; at < file.size; at += step) {
      await this.#work.did(step)
      const here = Math.floor(at / this.#blockSize)
      const end = own.get(here) ?? 0
      if (end > at) {
        next = (expected?.firstBlock ?? 0) + here + 1
        step = end - at
        continue
      }
      const bytes = window.from(at, this.#blockSize).subarray(0, this.#blockSize)
      const crc = paddedCrc(bytes, this.#blockSize)
      // Of equal blocks the next one is meant, or the one that belongs here.
      const fitting = expected === undefined ? [] : [expected.firstBlock + at / this.#blockSize]
      const block = this.#matching(crc, bytes, next === undefined ? fitting : [next, ...fitting])
      if (block === 'too much') return
      const short = block === undefined ? this.#shortBlock(next, bytes) : undefined
      if (short !== undefined) {
        found(short.index, at)
        step = short.length
      } else if (block !== undefined) {
        found(block.index, at)
        next = block.index + 1
        step = bytes.length
      } else {
        step = Math.min(this.#rollOn(window, at, crc), this.#untilOwn(own, at))
      }
    }
  }

  /**
   * Blocks of a protected file that are in their place, by their number in the file, and where each
   * ends. The search does not look into them: an image also holds its sources, so at other
   * positions it would find the blocks of those, and step over its own.
   */
  async #ownBlocks(
    window: FileWindow,
    expected: ProtectedFile | undefined,
    found: Found,
  ): Promise<Map<number, number>> {
    const own = new Map<number, number>()
    if (expected?.checksums === undefined) return own
    for (let block = 0; block < expected.blockCount; block++) {
      await this.#work.turns.pass()
      const known = this.#byIndex.get(expected.firstBlock + block)
      const at = block * this.#blockSize
      if (known === undefined || at + known.length > window.size) break
      const bytes = window.from(at, known.length).subarray(0, known.length)
      if (paddedCrc(bytes, this.#blockSize) !== known.crc) continue
      if (!paddedMd5(bytes, this.#blockSize).equals(known.md5)) continue
      found(known.index, at)
      own.set(block, at + known.length)
    }
    return own
  }

  /** Bytes from `at` to the next block that is in its place. */
  #untilOwn(own: ReadonlyMap<number, number>, at: number): number {
    const first = Math.floor(at / this.#blockSize) + 1
    for (let block = first; block * this.#blockSize < at + this.#roll; block++)
      if (own.has(block)) return block * this.#blockSize - at
    return this.#roll
  }

  #learn({ checksums, firstBlock, blockCount, size }: ProtectedFile): void {
    for (let block = 0; block < (checksums === undefined ? 0 : blockCount); block++) {
      const at = block * CHECKSUM_BYTES
      const md5 = checksums?.subarray(at, at + MD5_BYTES) ?? Buffer.alloc(0)
      const crc = checksums?.readUInt32LE(at + MD5_BYTES) ?? 0
      const length = Math.min(this.#blockSize, size - block * this.#blockSize)
      const known = { index: firstBlock + block, md5, length, crc }
      const same = this.#blocks.get(crc)
      if (same === undefined) this.#blocks.set(crc, [known])
      else if (!same.some((other) => other.md5.equals(md5))) same.push(known)
      this.#byIndex.set(known.index, known)
      this.#quick[crc >>> (32 - QUICK_BITS)] = 1
    }
  }

  /** The block of these bytes, padded. The search may cost too much. */
  #matching(
    crc: number,
    bytes: Buffer,
    preferred: readonly number[],
  ): KnownBlock | undefined | 'too much' {
    const known = this.#blocks.get(crc)
    if (known === undefined) return undefined
    const md5 = paddedMd5(bytes, this.#blockSize)
    const block = known.find((one) => one.md5.equals(md5))
    const wasted = this.#blockSize - (block === undefined ? 0 : bytes.length)
    if (!this.#effort.spend(wasted + EFFORT_PER_MATCH * known.length)) return 'too much'
    if (block === undefined) return undefined
    const equal = preferred.map((index) => this.#byIndex.get(index))
    return equal.find((one) => one?.md5.equals(block.md5) === true) ?? block
  }

  /** The expected block, if it is a short one and `bytes` begin with it. */
  #shortBlock(expected: number | undefined, bytes: Buffer): KnownBlock | undefined {
    const block = expected === undefined ? undefined : this.#byIndex.get(expected)
    if (block === undefined || block.length >= bytes.length) return undefined
    const data = bytes.subarray(0, block.length)
    if (paddedCrc(data, this.#blockSize) !== block.crc) return undefined
    if (!this.#effort.spend(this.#blockSize)) return undefined
    return paddedMd5(data, this.#blockSize).equals(block.md5) ? block : undefined
  }

  /**
   * Bytes from `at` to where the CRC of the window is that of a block. Fewer if there is none in
   * what is done at once. `crc` is that of the window at `at`.
   */
  #rollOn(window: FileWindow, at: number, crc: number): number {
    const { mask, enter, leave } = this.#rolling
    const length = this.#blockSize
    const quick = this.#quick
    const bytes = window.from(at, length + this.#roll)
    const end = Math.min(bytes.length, this.#roll)
    const padding = Math.max(0, bytes.length - length)
    let register = crc ^ mask
    for (let offset = 0; offset < end; offset++) {
      const entering = offset < padding ? (bytes[offset + length] as number) : 0
      const leaving = bytes[offset] as number
      register =
        (register >>> 8) ^
        (enter[(register ^ entering) & 255] as number) ^
        (leave[leaving] as number)
      if (quick[(register ^ mask) >>> (32 - QUICK_BITS)] === 0) continue
      if (this.#blocks.has((register ^ mask) >>> 0)) return offset + 1
    }
    return end
  }
}
