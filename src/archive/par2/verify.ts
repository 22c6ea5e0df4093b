import type { FileBelow } from './files-below.ts'
import { inspect, type FileState, type Inspection, type VerifyOptions } from './inspect.ts'
import { Work } from './work.ts'

/**
 * Where a block of a protected file is: in the file itself, at any position; in another file, be it
 * an extra one; or nowhere.
 */
export type BlockState = 'here' | 'elsewhere' | 'lost'

/** What is left of a protected file. */
export interface FileReport {
  readonly name: string
  /** Bytes that the file should have. */
  readonly size: number
  /** `unreadable` stands for a link, pipe or folder in its place, and for a lack of rights. */
  readonly state: FileState
  readonly blocks: readonly BlockState[]
  /** Other files that hold blocks of it: those that are read for a repair. */
  readonly others: readonly FileBelow[]
}

/** What is left of all that parity protects. */
export interface ParityReport {
  /** Identifier of the set, in hexadecimal. */
  readonly set: string
  /** Bytes of a block. */
  readonly blockSize: number
  readonly files: readonly FileReport[]
  /** Blocks that were found nowhere. */
  readonly lost: number
  /** Recovery blocks that are intact. */
  readonly recovery: number
  /** True when every protected file is whole. */
  readonly isWhole: boolean
  /** True when there are as many recovery blocks as lost blocks. */
  readonly isRepairable: boolean
  /** Paths of parity files that are missing, or are links, pipes or folders. */
  readonly passedOver: readonly string[]
}

/**
 * Compares protected files with their parity, and changes nothing. Follows the Parity Volume Set
 * Specification 2.0. Whole files are read once. Where one is not whole, the damaged and the extra
 * files are searched for its blocks. What a disk cannot read counts as damaged.
 *
 * Fails with `parity-unreadable` when the parity files do not say what they protect, and with
 * `parity-mixed` when they are of several sets. Fails with `parity-refused` when no honest program
 * wrote them. Other failures are the system's.
 */
export async function verifyWithParity(options: VerifyOptions): Promise<ParityReport> {
  return reportOf(await inspect(options, new Work(options)), options.root)
}

/** What an inspection found, for its reader. `root` is the folder of the protected files. */
export function reportOf({ set, states, places }: Inspection, root: string): ParityReport {
  const files = set.files.map(({ name, size, firstBlock, blockCount }, index): FileReport => {
    const others = new Map<string, FileBelow>()
    const blocks = places.slice(firstBlock, firstBlock + blockCount).map((place) => {
      if (place === undefined) return 'lost'
      if (place.file.root === root && place.file.path === name) return 'here'
      others.set(`${place.file.root}\0${place.file.path}`, place.file)
      return 'elsewhere'
    })
    return { name, size, state: states[index] ?? 'missing', blocks, others: [...others.values()] }
  })
  const lost = places.filter((place) => place === undefined).length
  return {
    set: set.id,
    blockSize: set.blockSize,
    files,
    lost,
    recovery: set.recovery.length,
    isWhole: states.every((state) => state === 'whole'),
    isRepairable: lost <= set.recovery.length,
    passedOver: set.passedOver,
  }
}
