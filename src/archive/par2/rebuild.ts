import { blockLength, Words } from './blocks.ts'
import { PieceReader, readWhatIsLeft } from './files-below.ts'
import { multiplyAdd } from './galois.ts'
import type { Inspection } from './inspect.ts'
import { invert, type Inverse } from './matrix.ts'
import type { RebuiltFiles } from './rebuilt-files.ts'
import type { ProtectedFile } from './recovery-set.ts'
import { stripes, stripeWidth, Sums, type Stripe } from './stripes.ts'
import type { Work } from './work.ts'

/** One repair: what was found, which files are made of it, and where. `memory` in bytes. */
export interface Rebuilding {
  readonly found: Inspection
  readonly wanted: readonly ProtectedFile[]
  readonly files: RebuiltFiles
  readonly memory: number
  readonly work: Work
}

/** How the lost blocks follow from recovery blocks. */
interface Solution {
  readonly lost: readonly LostBlock[]
  readonly inverse: Inverse
  /** A sum for each taken recovery block: what the lost blocks add to it is what remains. */
  readonly sums: Sums
}

interface LostBlock {
  readonly file: ProtectedFile
  /** Index of the block in its file. */
  readonly index: number
}

/**
 * Makes the wanted files, stripe by stripe. What the known blocks add to a recovery block is taken
 * off it: what remains is a sum of the lost blocks. The inverse of their factors gives the lost
 * blocks. Fails with `parity-not-enough` or `parity-not-rebuilt`.
 */
export async function rebuild(rebuilding: Rebuilding): Promise<void> {
  const { found, wanted, files, memory, work } = rebuilding
  const { blockSize } = found.set
  const buffers = found.places.filter((place) => place === undefined).length + 2
  const solution = await solve(rebuilding, stripeWidth(blockSize, buffers, memory))
  const inputs = found.set.blockCount * blockSize
  work.expect(inputs + wanted.reduce((sum, { size }) => sum + size, 0))
  for (const file of wanted) files.create(file)
  for (const stripe of stripes(blockSize, buffers, memory)) {
    readRecovery(rebuilding, stripe, solution)
    await addKnown(rebuilding, stripe, solution)
    await writeLost(rebuilding, stripe, solution)
  }
  for (const file of wanted) await files.check(file, work)
}

async function solve({ found, work }: Rebuilding, width: number): Promise<Solution> {
  const { files, recovery, blockCount } = found.set
  const lost = files.flatMap((file) =>
    Array.from({ length: file.blockCount }, (_, index) => ({ file, index })).filter(
      ({ index }) => found.places[file.firstBlock + index] === undefined,
    ),
  )
  const exponents = recovery.map(({ exponent }) => exponent)
  const all = new Sums(exponents, blockCount, 0)
  const inverse = await invert(
    lost.length,
    exponents.length,
    (row) => Uint16Array.from(lost, ({ file, index }) => all.factor(row, file.firstBlock + index)),
    work.turns,
  )
  const taken = inverse.rows.map((row) => exponents[row] ?? 0)
  return { lost, inverse, sums: new Sums(taken, blockCount, width) }
}

/** Lets the sums begin with the recovery blocks: addition and subtraction are the same. */
function readRecovery(
  { found }: Rebuilding,
  { at, length }: Stripe,
  { inverse, sums }: Solution,
): void {
  const reader = new PieceReader(readWhatIsLeft)
  try {
    for (const [index, { bytes }] of sums.rows.entries()) {
      const block = found.set.recovery[inverse.rows[index] ?? 0]
      if (block !== undefined) reader.read(block.file, bytes.subarray(0, length), block.at + at)
    }
  } finally {
    reader.close()
  }
}

/** Adds all known blocks to the sums, and writes those of wanted files. */
async function addKnown(
  { found, wanted, files, work }: Rebuilding,
  { at, length }: Stripe,
  { lost, sums }: Solution,
): Promise<void> {
  const { bytes, words } = new Words(length)
  const wantedFiles = new Set(wanted)
  const reader = new PieceReader(readWhatIsLeft)
  try {
    for (const file of found.set.files) {
      const isWanted = wantedFiles.has(file)
      if (!isWanted && lost.length === 0) continue
      for (let index = 0; index < file.blockCount; index++) {
        const place = found.places[file.firstBlock + index]
        const size = partSize(found, { file, index }, at, length)
        if (place === undefined || size <= 0) continue
        reader.read(place.file, bytes.subarray(0, size), place.at + at)
        bytes.fill(0, size)
        await sums.add(file.firstBlock + index, words, work)
        if (isWanted)
          files.write(file.name, bytes.subarray(0, size), index * found.set.blockSize + at)
        await work.did(length)
      }
    }
  } finally {
    reader.close()
  }
}

/** Computes the lost blocks from the sums, and writes them. */
async function writeLost(
  { found, files, work }: Rebuilding,
  { at, length }: Stripe,
  { lost, inverse, sums }: Solution,
): Promise<void> {
  const { bytes, words } = new Words(length)
  for (const [unknown, block] of lost.entries()) {
    words.fill(0)
    for (const [row, sum] of sums.rows.entries()) {
      const factor = inverse.factors[unknown]?.[row] ?? 0
      multiplyAdd(words, sum.words.subarray(0, words.length), factor)
      await work.turns.pass()
    }
    const size = partSize(found, block, at, length)
    const position = block.index * found.set.blockSize + at
    if (size > 0) files.write(block.file.name, bytes.subarray(0, size), position)
    await work.did(length)
  }
}

/** Bytes of a part of a block that are not padding; none, or fewer than none, behind its end. */
function partSize({ set }: Inspection, block: LostBlock, at: number, length: number): number {
  return Math.min(length, blockLength(block.file.size, block.index, set.blockSize) - at)
}
