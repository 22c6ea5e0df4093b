import { FixpointError } from '../../base/error.ts'
import { diskFull, explainDiskFull, freeBytes } from '../../base/files.ts'
import { ignoreFailure } from './files-below.ts'
import { inspect, type VerifyOptions } from './inspect.ts'
import { DEFAULT_MEMORY, MAX_REBUILT_BLOCKS } from './limits.ts'
import { rebuild } from './rebuild.ts'
import { RebuiltFiles } from './rebuilt-files.ts'
import { reportOf, type ParityReport } from './verify.ts'
import { Work } from './work.ts'

/** Names of files that a message lists at most. */
const MAX_NAMES = 1000

export interface RepairOptions extends VerifyOptions {
  /** Folder that gets the rebuilt files. It exists, and none of them is in it. */
  readonly into: string
  /** Which protected files are rebuilt, if they are not whole; all if left out. */
  readonly isWanted?: (name: string) => boolean
}

export interface Repair {
  /** What was found before. */
  readonly report: ParityReport
  /** Names of the files that were rebuilt, also their paths below `into`. */
  readonly rebuilt: readonly string[]
}

/**
 * Rebuilds every wanted file that is not whole, below another folder. Checks both MD5 of each.
 * Follows the Parity Volume Set Specification 2.0. Writes all of them or none, and never a
 * protected file itself. Takes blocks from where `verifyWithParity` finds them. Reads all files of
 * the set again, more than once if the lost blocks together are larger than the memory.
 *
 * Fails with `parity-not-enough` when more blocks are lost than can be rebuilt, and with
 * `parity-not-rebuilt` when a digest is wrong at the end. Other failures: `parity-file-there`,
 * `disk-full`, and those of `verifyWithParity`. A call that fails changes nothing.
 */
export async function repairWithParity(options: RepairOptions): Promise<Repair> {
  const work = new Work(options)
  const found = await inspect(options, work)
  const report = reportOf(found, options.root)
  const { isWanted = () => true } = options
  const wanted = found.set.files.filter(
    ({ name }, index) => found.states[index] !== 'whole' && isWanted(name),
  )
  if (wanted.length === 0) return { report, rebuilt: [] }
  requireRepairable(report)
  const bytes = wanted.reduce((sum, { size }) => sum + size, 0)
  if (bytes > (await freeBytes(options.into))) throw diskFull(options.into)
  const files = new RebuiltFiles(options.into)
  try {
    const { memory = DEFAULT_MEMORY, threads } = options
    await rebuild({ found, wanted, files, memory, threads, work })
  } catch (error) {
    ignoreFailure(() => files.remove())
    throw explainDiskFull(error, options.into)
  } finally {
    files.close()
  }
  return { report, rebuilt: wanted.map(({ name }) => name) }
}

function requireRepairable({ files, lost, recovery, isRepairable }: ParityReport): void {
  if (isRepairable && lost <= MAX_REBUILT_BLOCKS) return
  if (isRepairable)
    throw notEnough(`${lost} blocks are lost, and at most ${MAX_REBUILT_BLOCKS} can be rebuilt`)
  const bad = files.filter(({ state }) => state !== 'whole').map(({ name }) => `"${name}"`)
  const more = bad.length > MAX_NAMES ? ` and ${bad.length - MAX_NAMES} more` : ''
  throw notEnough(
    `${lost} blocks are lost, and ${recovery} recovery blocks are intact. ` +
      `Files that are not whole: ${bad.slice(0, MAX_NAMES).join(', ')}${more}`,
  )
}

function notEnough(reason: string): FixpointError {
  return new FixpointError('parity-not-enough', `Cannot repair by parity: ${reason}`)
}
