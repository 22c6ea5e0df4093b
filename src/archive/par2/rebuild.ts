import { blockLength } from './blocks.ts'
import { PieceReader, readWhatIsLeft } from './files-below.ts'
import type { Inspection } from './inspect.ts'
import { invert, type Inverse } from './matrix.ts'
import type { RebuiltFiles } from './rebuilt-files.ts'
import type { ProtectedFile } from './recovery-set.ts'
import { stripes, stripeWidth, type Stripe } from './stripes.ts'
import { buffersOf, recoveryFactor, Sums } from './sums.ts'
import type { Work } from './work.ts'

/** One repair: what was found, which files are made of it, and where. `memory` in bytes. */
export interface Rebuilding {
  readonly found: Inspection
  readonly wanted: readonly ProtectedFile[]
  readonly files: RebuiltFiles
  readonly memory: number
  readonly threads: number | undefined
  readonly work: Work
}

/** How the lost blocks follow from recovery blocks. */
interface Solution {
  readonly lost: readonly LostBlock[]
  readonly inverse: Inverse
  /** A sum for each taken recovery block: what the lost blocks add to it is what remains. */
  readonly remains: Sums
  /** The lost blocks. */
  readonly solved: Sums
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
  const { found, wanted, files, memory, threads, work } = rebuilding
  const { blockSize, blockCount } = found.set
  const lost = lostBlocks(found)
  const count = lost.length
  const { inverse, exponents } = await solve(rebuilding, lost)
  const inputs = blockCount * blockSize
  work.expect(inputs + wanted.reduce((sum, { size }) => sum + size, 0))
  for (const file of wanted) files.create(file)
  const buffers = 2 * buffersOf(count)
  const width = stripeWidth(blockSize, buffers, memory)
  const known = { count, factor: recoveryFactor(exponents, blockCount), inputs: blockCount }
  const unknown = {
    count,
    factor: (sum: number, row: number) => inverse.factors[sum]?.[row] ?? 0,
    inputs: count,
  }
  await Sums.with({ ...known, width, threads }, (remains) =>
    Sums.with({ ...unknown, width, threads }, async (solved) => {
      const solution = { lost, inverse, remains, solved }
      for (const stripe of stripes(blockSize, buffers, memory)) {
        readRecovery(rebuilding, stripe, solution)
        await addKnown(rebuilding, stripe, solution)
        await writeLost(rebuilding, stripe, solution)
      }
    }),
  )
  for (const file of wanted) await files.check(file, work)
}

function lostBlocks({ set, places }: Inspection): LostBlock[] {
  return set.files.flatMap((file) =>
    Array.from({ length: file.blockCount }, (_, index) => ({ file, index })).filter(
      ({ index }) => places[file.firstBlock + index] === undefined,
    ),
  )
}

/** The inverse of the factors of the lost blocks, and the exponents of the rows it takes. */
async function solve(
  { found, work }: Rebuilding,
  lost: readonly LostBlock[],
): Promise<{ inverse: Inverse; exponents: number[] }> {
  const { recovery, blockCount } = found.set
  const exponents = recovery.map(({ exponent }) => exponent)
  const factor = recoveryFactor(exponents, blockCount)
  const inverse = await invert(
    lost.length,
    exponents.length,
    (row) => Uint16Array.from(lost, ({ file, index }) => factor(row, file.firstBlock + index)),
    work.turns,
  )
  return { inverse, exponents: inverse.rows.map((row) => exponents[row] ?? 0) }
}

/** Lets the sums begin with the recovery blocks: addition and subtraction are the same. */
function readRecovery(
  { found }: Rebuilding,
  { at, length }: Stripe,
  { inverse, remains }: Solution,
): void {
  const reader = new PieceReader(readWhatIsLeft)
  try {
    for (const [sum, row] of inverse.rows.entries()) {
      const block = found.set.recovery[row]
      if (block === undefined) continue
      remains.load(sum, length, (bytes) => reader.read(block.file, bytes, block.at + at))
    }
  } finally {
    reader.close()
  }
}

/** Adds all known blocks to the sums, and writes those of wanted files. */
async function addKnown(
  { found, wanted, files, work }: Rebuilding,
  { at, length }: Stripe,
  { lost, remains }: Solution,
): Promise<void> {
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
        const bytes = (await remains.piece()).bytes.subarray(0, length)
        reader.read(place.file, bytes.subarray(0, size), place.at + at)
        bytes.fill(0, size)
        await remains.add(file.firstBlock + index, length, work)
        if (isWanted)
          files.write(file.name, bytes.subarray(0, size), index * found.set.blockSize + at)
        await work.did(length)
      }
    }
    await remains.settled()
  } finally {
    reader.close()
  }
}

/** Computes the lost blocks from what remains, and writes them. */
async function writeLost(
  { found, files, work }: Rebuilding,
  { at, length }: Stripe,
  { lost, remains, solved }: Solution,
): Promise<void> {
  solved.clear()
  for (let row = 0; row < remains.count; row++) {
    const piece = await solved.piece()
    piece.bytes.set(remains.read(row, length).bytes)
    await solved.add(row, length, work)
    await work.did(length)
  }
  await solved.settled()
  for (const [unknown, block] of lost.entries()) {
    const size = partSize(found, block, at, length)
    const position = block.index * found.set.blockSize + at
    if (size > 0)
      files.write(block.file.name, solved.read(unknown, length).bytes.subarray(0, size), position)
    await work.turns.pass()
  }
}

/** Bytes of a part of a block that are not padding; none, or fewer than none, behind its end. */
function partSize({ set }: Inspection, block: LostBlock, at: number, length: number): number {
  return Math.min(length, blockLength(block.file.size, block.index, set.blockSize) - at)
}
