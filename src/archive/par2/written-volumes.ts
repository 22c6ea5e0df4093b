import { createHash, type Hash } from 'node:crypto'
import { closeSync, fsyncSync, unlinkSync } from 'node:fs'
import { Folder } from '../../base/beneath.ts'
import { syncPath } from '../../base/files.ts'
import { createNew, writeAt } from './files-below.ts'
import { HEAD, hashedHead, packetHead } from './packet.ts'
import type { Stripe } from './stripes.ts'
import type { Sums } from './sums.ts'
import { packetLength, type Volume } from './volumes.ts'

/** The parity files while they are written. */
export class WrittenVolumes {
  /** Bytes of all files. */
  readonly bytes: number
  readonly #folder: Folder
  readonly #volumes: readonly Volume[]
  readonly #set: string
  readonly #blockSize: number
  readonly #open: { readonly name: string; readonly fd: number }[] = []
  /** Where each recovery packet is. */
  readonly #places: { fd: number; at: number }[] = []
  readonly #hashes: readonly Hash[]

  constructor(
    folder: string,
    volumes: readonly Volume[],
    shape: { readonly set: string; readonly blockSize: number; readonly recoveryBlocks: number },
  ) {
    this.#volumes = volumes
    this.#set = shape.set
    this.#blockSize = shape.blockSize
    this.bytes = volumes
      .flatMap(({ packets }) => packets)
      .reduce<number>((sum, one) => sum + packetLength(one, shape.blockSize), 0)
    this.#hashes = Array.from({ length: shape.recoveryBlocks }, (_, exponent) =>
      createHash('md5').update(hashedHead(shape.set, 'recovery')).update(exponentBytes(exponent)),
    )
    this.#folder = Folder.open(folder)
  }

  /** Makes all files and writes all packets but those of recovery blocks. */
  begin(): void {
    for (const { name, packets } of this.#volumes) {
      const fd = createNew(this.#folder, name)
      this.#open.push({ name, fd })
      let at = 0
      for (const one of packets) {
        if (typeof one === 'number') this.#places[one] = { fd, at }
        else writeAt(fd, one, at)
        at += packetLength(one, this.#blockSize)
      }
    }
  }

  /** Writes a stripe of all recovery blocks. Stripes come in order. */
  write({ at, length }: Stripe, sums: Sums): void {
    for (let exponent = 0; exponent < sums.count; exponent++)
      this.#writePart(exponent, at, sums.read(exponent, length).bytes)
  }

  /** Writes recovery blocks of no input blocks. */
  writeZeros(): void {
    const zeros = Buffer.alloc(this.#blockSize)
    for (const exponent of this.#places.keys()) this.#writePart(exponent, 0, zeros)
  }

  /** Writes the heads of recovery packets, and makes all files durable. */
  async finish(): Promise<void> {
    const length = HEAD + 4 + this.#blockSize
    for (const [exponent, { fd, at }] of this.#places.entries()) {
      const md5 = this.#hashes[exponent]?.digest() ?? Buffer.alloc(0)
      const head = packetHead(this.#set, 'recovery', { length, md5 })
      writeAt(fd, Buffer.concat([head, exponentBytes(exponent)]), at)
    }
    for (const { fd } of this.#open) fsyncSync(fd)
    await syncPath(this.#folder.self)
  }

  /** Removes what was made. */
  remove(): void {
    for (const { name } of this.#open) unlinkSync(this.#folder.at(name))
  }

  close(): void {
    for (const { fd } of this.#open) closeSync(fd)
    this.#folder.close()
  }

  #writePart(exponent: number, at: number, part: Buffer): void {
    const place = this.#places[exponent]
    if (place === undefined) throw new TypeError('A recovery block has no place')
    this.#hashes[exponent]?.update(part)
    writeAt(place.fd, part, place.at + HEAD + 4 + at)
  }
}

function exponentBytes(exponent: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(exponent)
  return bytes
}
