import { createHash } from 'node:crypto'
import { FixpointError } from '../../base/error.ts'
import {
  CHECKSUM_BYTES,
  MD5_BYTES,
  readFileBody,
  readMain,
  type FileBody,
  type MainBody,
} from './bodies.ts'
import { requireSafeNames } from './file-names.ts'
import { filesOf, withBelow, type FileBelow, type FilesBelow } from './files-below.ts'
import { findPackets, type FoundPacket } from './find-packets.ts'
import { MAX_EXPONENT, MAX_FILES, MAX_INPUT_BLOCKS, maxBlockSize } from './limits.ts'
import { HEAD } from './packet.ts'
import type { Work } from './work.ts'

/** Packets, and bytes of those kept in memory, of all parity files. Real sets have far fewer. */
const MAX_PACKETS = 200_000
const MAX_BYTES = 64 << 20

/** A protected file, and where its blocks are among all blocks of the set. */
export interface ProtectedFile extends FileBody {
  readonly firstBlock: number
  readonly blockCount: number
  /** MD5 and CRC-32 of each block, 20 bytes each; undefined when its packet is lost. */
  readonly checksums: Buffer | undefined
}

/** A recovery block: its data, at a position of a parity file. */
export interface RecoveryBlock {
  readonly exponent: number
  readonly file: FileBelow
  readonly at: number
}

/** What the packets of the parity files say, checked. */
export interface RecoverySet {
  readonly id: string
  /** Bytes. */
  readonly blockSize: number
  readonly blockCount: number
  /** In the order of their blocks. */
  readonly files: readonly ProtectedFile[]
  /** By exponent, each once. */
  readonly recovery: readonly RecoveryBlock[]
  /** Paths of parity files that are missing, or no files that can be read. */
  readonly passedOver: readonly string[]
}

/**
 * Reads all packets of parity files (specification of PAR2 2.0). Fails with `parity-unreadable`
 * when what the set protects is not in them, `parity-mixed` when they are of several sets, and
 * `parity-refused` for what no honest program writes.
 */
export async function readParity(
  parity: FilesBelow | readonly FilesBelow[],
  memory: number,
  work: Work,
): Promise<RecoverySet> {
  const packets = new Packets()
  const passedOver: string[] = []
  for (const file of filesOf(parity)) {
    const outcome = await withBelow(file, (opened) => {
      work.expect(opened.size)
      return findPackets(opened, work, (packet) => packets.add(packet, file))
    })
    if (outcome !== undefined) passedOver.push(file.path)
  }
  const id = packets.setId()
  const main = packets.main(id)
  if (main.blockSize > maxBlockSize(memory))
    throw refused(`blocks of ${main.blockSize} bytes do not fit into ${memory} bytes of memory`)
  const files = protectedFiles(main, packets, id)
  // A file that is listed twice has its name twice.
  requireSafeNames(files.map(({ name }) => name))
  const last = files.at(-1)
  return {
    id,
    blockSize: main.blockSize,
    blockCount: last === undefined ? 0 : last.firstBlock + last.blockCount,
    files,
    recovery: packets.recovery(id, main.blockSize),
    passedOver,
  }
}

/**
 * The files of the recovery set, then the empty ones beside it. Other files beside it cannot be
 * rebuilt.
 */
function protectedFiles(main: MainBody, packets: Packets, id: string): ProtectedFile[] {
  const count = main.ids.length + main.others.length
  if (count > MAX_FILES) throw refused(`it lists ${count} files`)
  const descriptions = packets.bodies(id, 'file')
  const checksums = packets.bodies(id, 'checksums')
  const unknown = main.ids.filter((file) => !descriptions.has(file)).length
  if (unknown > 0)
    throw unreadable(`the descriptions of ${unknown} of ${main.ids.length} files are lost`)
  const described = (file: string): FileBody[] => {
    const body = descriptions.get(file)
    return body === undefined ? [] : [readFileBody(body)]
  }
  const empty = main.others.flatMap(described).filter(({ size }) => size === 0)
  let firstBlock = 0
  return [...main.ids.flatMap(described), ...empty].map((file) => {
    const blockCount = Math.ceil(file.size / main.blockSize)
    const sums = checksums.get(file.id)?.subarray(MD5_BYTES)
    if (sums !== undefined && sums.length !== blockCount * CHECKSUM_BYTES)
      throw refused(`a file of ${blockCount} blocks has ${sums.length} bytes of checksums`)
    const placed = { ...file, firstBlock, blockCount, checksums: sums }
    firstBlock += blockCount
    if (firstBlock > MAX_INPUT_BLOCKS)
      throw refused(`it protects more than ${MAX_INPUT_BLOCKS} blocks`)
    return placed
  })
}

/** Packets of all parity files, by set. */
class Packets {
  readonly #critical = new Map<string, FoundPacket>()
  readonly #recovery = new Map<string, RecoveryBlock & { readonly length: number }>()
  #bytes = 0

  add(packet: FoundPacket, file: FileBelow): void {
    const { set, type, md5, at, body, length } = packet
    if (type === 'recovery') {
      const exponent = body.readUInt32LE()
      if (exponent >= MAX_EXPONENT) return
      const key = `${set} ${exponent} ${length}`
      if (!this.#recovery.has(key))
        this.#recovery.set(key, { exponent, file, at: at + HEAD + 4, length })
    } else {
      const key = `${set} ${type} ${md5}`
      if (this.#critical.has(key) || (type === 'main' && digest(body) !== set)) return
      this.#critical.set(key, packet)
      this.#bytes += body.length
    }
    if (this.#critical.size + this.#recovery.size > MAX_PACKETS || this.#bytes > MAX_BYTES)
      throw refused('it holds more packets than a set can have')
  }

  /** The one set that has a main packet. */
  setId(): string {
    const ids = [...this.#critical.values()].flatMap(({ type, set }) =>
      type === 'main' ? [set] : [],
    )
    const [id] = ids
    if (id === undefined) throw unreadable('no intact main packet is there')
    if (ids.some((other) => other !== id))
      throw new FixpointError('parity-mixed', 'Cannot use parity: its files are of several sets')
    return id
  }

  main(id: string): MainBody {
    const packet = [...this.#critical.values()].find(
      ({ type, set }) => type === 'main' && set === id,
    )
    return readMain(packet?.body ?? Buffer.alloc(0))
  }

  /** Bodies of the packets of a type, by the file that they are about. */
  bodies(id: string, wanted: 'file' | 'checksums'): Map<string, Buffer> {
    const bodies = new Map<string, Buffer>()
    for (const { type, set, body } of this.#critical.values()) {
      if (type !== wanted || set !== id) continue
      const file = body.toString('hex', 0, MD5_BYTES)
      if (bodies.has(file)) throw refused('two packets about one file contradict each other')
      bodies.set(file, body)
    }
    return bodies
  }

  recovery(id: string, blockSize: number): RecoveryBlock[] {
    return [...this.#recovery]
      .filter(([key]) => key.startsWith(`${id} `))
      .filter(([, { length }]) => length === HEAD + 4 + blockSize)
      .map(([, { exponent, file, at }]) => ({ exponent, file, at }))
      .sort((a, b) => a.exponent - b.exponent)
  }
}

/** MD5: that of a main packet's body is the identifier of its set. */
function digest(body: Buffer): string {
  return createHash('md5').update(body).digest('hex')
}

function refused(reason: string): FixpointError {
  return new FixpointError('parity-refused', `Cannot use parity: ${reason}`)
}

function unreadable(reason: string): FixpointError {
  return new FixpointError('parity-unreadable', `Cannot use parity: ${reason}`)
}
