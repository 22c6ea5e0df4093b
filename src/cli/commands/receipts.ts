import { FixpointErrors } from '../../base/error.ts'
import type { ApartReason, Confirmation } from '../../report/receipts/confirm.ts'
import { examineReceipts } from '../../report/receipts/examine.ts'
import type { ReceiptFile, Standing } from '../../report/receipts/read.ts'
import type { CommandContext } from '../context.ts'

/** Options of `receipts`. */
export interface ReceiptsFlags {
  readonly signers?: string
  readonly require?: number
  /** Seconds since 1970. */
  readonly at?: number
}

/** `receipts IMAGE.json FILE…`: how many others made the artifacts of an image. */
export async function receiptsCommand(
  command: CommandContext,
  record: string,
  paths: readonly string[],
  flags: ReceiptsFlags,
): Promise<void> {
  const { files, artifacts, apart, faults } = await examineReceipts({
    record,
    paths,
    signers: flags.signers,
    at: flags.at ?? Date.now() / 1000,
    require: flags.require,
    signal: command.signal,
  })
  for (const file of files) {
    const { path, receipts, key, names, refusal } = file
    const data = { file: path, receipts: receipts.length, key, names, refusal }
    await command.result([fileLine(file)], { type: 'receipt-file', ...data })
  }
  const width = artifacts.reduce((most, { recipe }) => Math.max(most, recipe.length), 0)
  for (const one of artifacts) {
    const line = `${one.recipe.padEnd(width)}  ${countsOf(one)}`
    await command.result([line], { type: 'confirmation', ...one })
  }
  for (const one of apart) {
    const line = `apart: ${one.recipe} ${one.key}: ${REASONS[one.why]} (${one.receipts})`
    await command.result([line], { type: 'apart', ...one })
  }
  const [first] = faults
  if (first !== undefined) throw faults.length === 1 ? first : new FixpointErrors(faults)
}

const REASONS: Readonly<Record<ApartReason, string>> = {
  'host-layer': 'may differ from host to host',
  'other-inputs': 'from other inputs than the image',
  'other-recipe': 'not in the image',
}

const REFUSALS: Readonly<Record<NonNullable<Standing['refusal']>, string>> = {
  unsigned: 'unsigned',
  'unknown-signer': 'not an allowed signer',
  'other-namespace': 'not allowed to sign receipts',
  'not-yet-valid': 'not valid yet',
  expired: 'no longer valid',
}

function fileLine({ path, receipts, key, names, refusal }: ReceiptFile): string {
  const signer = [names, key].filter((word) => word !== undefined).join(' ')
  const why = refusal === undefined ? '' : `, not counted: ${REFUSALS[refusal]}`
  return `${path}: ${receipts.length}${signer === '' ? '' : ` by ${signer}`}${why}`
}

function countsOf({ builders, distributions, processors, uncounted }: Confirmation): string {
  const counts = [
    counted(builders, 'builder'),
    counted(distributions, 'distribution'),
    counted(processors, 'processor'),
  ].join('  ')
  return uncounted === 0 ? counts : `${counts}  (${uncounted} not counted)`
}

function counted(all: readonly string[], noun: string): string {
  return `${all.length} ${noun}${all.length === 1 ? '' : 's'}`
}
