import { FixpointError } from '../../base/error.ts'
import { readImageRecord } from '../../image/read-record.ts'
import { requireImageFiles } from '../../image/recorded-files.ts'
import { confirm, missingConfirmations, type Confirmations } from './confirm.ts'
import { readReceipts, readSigners, receiptPaths, type ReceiptFile, type Trust } from './read.ts'

/** What is asked of receipts. */
export interface Examination {
  /** The image's record. */
  readonly record: string
  /** Files of receipts, and folders of such files. */
  readonly paths: readonly string[]
  /** File of allowed signers; undefined: nobody's signature counts. */
  readonly signers: string | undefined
  /** Time that signatures are judged at, in seconds since 1970. */
  readonly at: number
  /** Builders that each artifact must have. The image's own files are then read, too. */
  readonly require: number | undefined
  readonly signal: AbortSignal
}

/** What receipts say of an image, and what is wrong with them: the worst first. */
export interface Examined extends Confirmations {
  readonly files: readonly ReceiptFile[]
  readonly faults: readonly FixpointError[]
}

/**
 * Reads receipts and compares them with an image's record. A file that is no good does not keep the
 * others from being read. Fails with `no-record`, `signers-unusable`, `receipts-unreadable` or
 * `no-receipts`. Rejects with the signal's reason.
 */
export async function examineReceipts(asked: Examination): Promise<Examined> {
  const record = await readImageRecord(asked.record)
  const signers = asked.signers === undefined ? [] : await readSigners(asked.signers)
  const trust: Trust = { signers, at: asked.at }
  const files: ReceiptFile[] = []
  const unusable: FixpointError[] = []
  const attempt = async (use: () => Promise<unknown>): Promise<void> => {
    try {
      await use()
    } catch (error) {
      if (!(error instanceof FixpointError)) throw error
      unusable.push(error)
    }
  }
  for (const path of await receiptPaths(asked.paths)) {
    asked.signal.throwIfAborted()
    await attempt(async () => files.push(await readReceipts(path, trust)))
  }
  const found = confirm(record, files)
  const missing =
    asked.require === undefined ? undefined : missingConfirmations(found, asked.require)
  if (asked.require !== undefined)
    await attempt(() => requireImageFiles(asked.record, record, asked.signal))
  const faults = [...found.contradictions, ...unusable, ...(missing === undefined ? [] : [missing])]
  return { ...found, files, faults }
}
