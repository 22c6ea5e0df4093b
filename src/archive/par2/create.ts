import { createHash } from 'node:crypto'
import { beneath } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { explainDiskFull } from '../../base/files.ts'
import { blockLength } from './blocks.ts'
import { byIdentifier, checksumsBody, creatorBody, fileBody, mainBody } from './bodies.ts'
import { describeFile, requireUnchanged, type DescribedFile } from './describe-file.ts'
import { requireSafeNames } from './file-names.ts'
import { ignoreFailure, PieceReader, readAt } from './files-below.ts'
import {
  DEFAULT_MEMORY,
  MAX_EXPONENT,
  MAX_FILES,
  MAX_INPUT_BLOCKS,
  maxBlockSize,
} from './limits.ts'
import { packet } from './packet.ts'
import { stripes, stripeWidth, type Stripe } from './stripes.ts'
import { buffersOf, recoveryFactor, Sums } from './sums.ts'
import { volumesOf } from './volumes.ts'
import { Work, type WorkOptions } from './work.ts'
import { WrittenVolumes } from './written-volumes.ts'

/** Names the program that wrote a set. It never changes: the same inputs give the same bytes. */
const CREATOR = 'Fixpoint, PAR2 2.0'

/** Bytes of the window on an input file at least. */
const WINDOW = 1 << 20

export interface CreateOptions extends WorkOptions {
  /** Folder that the names of protected files are relative to. */
  readonly root: string
  /** Names of the files to protect, in any order. */
  readonly files: readonly string[]
  /** Bytes of a block: a multiple of 4, at most an eighth of the memory. */
  readonly blockSize: number
  readonly recoveryBlocks: number
  /** Where NAME.par2 and NAME.vol*.par2 are made. The folder exists. */
  readonly output: { readonly folder: string; readonly name: string }
}

/** What was written. */
export interface CreatedParity {
  /** Identifier of the recovery set, in hexadecimal. */
  readonly set: string
  /** Names of the parity files in the output folder: the index first. */
  readonly files: readonly string[]
  /** Blocks of all protected files. */
  readonly inputBlocks: number
  /** Bytes of all parity files. */
  readonly bytes: number
}

/**
 * Protects files by recovery blocks: any blocks, as many as those, can be rebuilt. Follows the
 * Parity Volume Set Specification 2.0. Writes new files only, all or none. The same files, sizes
 * and output name give the same bytes. Reads each file twice, or more often if all recovery blocks
 * together are larger than the memory.
 *
 * Fails with `parity-limits` for sizes that the format or the memory does not allow. Fails with
 * `parity-refused` for names that are no plain paths, and `unsafe-path` for what is no regular
 * file. Other failures: `parity-file-there`, `parity-input-changed`, `disk-full`, the system's.
 */
export async function createParity(options: CreateOptions): Promise<CreatedParity> {
  const { root, blockSize, recoveryBlocks, output, memory = DEFAULT_MEMORY } = options
  requireLimits(blockSize, recoveryBlocks, memory)
  if (options.files.length > MAX_FILES)
    throw limits(`there are ${options.files.length} files, and ${MAX_FILES} are possible`)
  requireSafeNames(options.files)
  requireSafeNames([output.name])
  const work = new Work(options)
  const files = await describeAll(options, work)
  const inputBlocks = files.reduce((sum, { size }) => sum + Math.ceil(size / blockSize), 0)
  if (inputBlocks > MAX_INPUT_BLOCKS)
    throw limits(`the files have ${inputBlocks} blocks, and ${MAX_INPUT_BLOCKS} are possible`)
  const main = mainOf(files, blockSize)
  const set = createHash('md5').update(main).digest('hex')
  const volumes = volumesOf(
    output.name,
    recoveryBlocks,
    criticalPackets(set, main, files),
    packet(set, 'creator', creatorBody(CREATOR)),
  )
  const written = new WrittenVolumes(output.folder, volumes, { set, blockSize, recoveryBlocks })
  try {
    written.begin()
    if (recoveryBlocks > 0 && inputBlocks > 0)
      await writeSums(options, files, inputBlocks, written, work)
    else written.writeZeros()
    for (const file of files) requireUnchanged(root, file)
    await written.finish()
  } catch (error) {
    ignoreFailure(() => written.remove())
    throw explainDiskFull(error, output.folder)
  } finally {
    written.close()
  }
  return { set, files: volumes.map(({ name }) => name), inputBlocks, bytes: written.bytes }
}

/** Computes and writes all recovery blocks, stripe by stripe. */
async function writeSums(
  { root, blockSize, recoveryBlocks, memory = DEFAULT_MEMORY, threads }: CreateOptions,
  files: readonly DescribedFile[],
  inputs: number,
  written: WrittenVolumes,
  work: Work,
): Promise<void> {
  const buffers = buffersOf(recoveryBlocks)
  const exponents = Array.from({ length: recoveryBlocks }, (_, exponent) => exponent)
  const width = stripeWidth(blockSize, buffers, memory)
  const factor = recoveryFactor(exponents, inputs)
  await Sums.with({ count: recoveryBlocks, factor, inputs, width, threads }, async (sums) => {
    for (const stripe of stripes(blockSize, buffers, memory)) {
      await addStripe({ root, files, blockSize }, stripe, sums, work)
      written.write(stripe, sums)
    }
  })
}

function requireLimits(blockSize: number, recoveryBlocks: number, memory: number): void {
  if (!Number.isSafeInteger(blockSize) || blockSize <= 0 || blockSize % 4 !== 0)
    throw limits(`a block of ${blockSize} bytes is no multiple of 4`)
  if (blockSize > maxBlockSize(memory))
    throw limits(`blocks of ${blockSize} bytes do not fit into ${memory} bytes of memory`)
  if (!Number.isSafeInteger(recoveryBlocks) || recoveryBlocks < 0 || recoveryBlocks > MAX_EXPONENT)
    throw limits(`${recoveryBlocks} recovery blocks are not possible`)
}

/** All files in the order of the set. */
async function describeAll(options: CreateOptions, work: Work): Promise<DescribedFile[]> {
  const { root, blockSize } = options
  const buffer = Buffer.allocUnsafe(Math.max(WINDOW, blockSize))
  for (const path of options.files) {
    const size = beneath(root, path, (folder, name) => folder.stat(name)?.size ?? 0)
    // Each is read twice, the second time in whole blocks.
    work.expect(size + Math.ceil(size / blockSize) * blockSize)
  }
  const files: DescribedFile[] = []
  for (const name of options.files)
    files.push(await describeFile({ root, name }, blockSize, buffer, work))
  return files.sort((a, b) => byIdentifier(a.id, b.id))
}

/** The main packet's body. Other programs take an empty file that has blocks for damaged. */
function mainOf(files: readonly DescribedFile[], blockSize: number): Buffer {
  const idsOf = (some: readonly DescribedFile[]): string[] => some.map(({ id }) => id)
  return mainBody({
    blockSize,
    ids: idsOf(files.filter(({ size }) => size > 0)),
    others: idsOf(files.filter(({ size }) => size === 0)),
  })
}

function criticalPackets(set: string, main: Buffer, files: readonly DescribedFile[]): Buffer[] {
  return [
    packet(set, 'main', main),
    ...files.map((file) => packet(set, 'file', fileBody(file))),
    ...files
      .filter(({ size }) => size > 0)
      .map(({ id, checksums }) => packet(set, 'checksums', checksumsBody(id, checksums))),
  ]
}

/** Adds a stripe of every input block to the sums. */
async function addStripe(
  inputs: {
    readonly root: string
    readonly files: readonly DescribedFile[]
    readonly blockSize: number
  },
  { at, length }: Stripe,
  sums: Sums,
  work: Work,
): Promise<void> {
  sums.clear()
  const reader = new PieceReader(readAt)
  let input = 0
  try {
    for (const { name, size } of inputs.files)
      for (let index = 0; index * inputs.blockSize < size; index++, input++) {
        if (at >= blockLength(size, index, inputs.blockSize)) continue
        const bytes = (await sums.piece()).bytes.subarray(0, length)
        reader.read({ root: inputs.root, path: name }, bytes, index * inputs.blockSize + at)
        await sums.add(input, length, work)
        await work.did(length)
      }
    await sums.settled()
  } finally {
    reader.close()
  }
}

function limits(reason: string): FixpointError {
  return new FixpointError('parity-limits', `Cannot make parity: ${reason}`)
}
