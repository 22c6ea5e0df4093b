import { lstat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beneath } from '../../base/beneath.ts'
import { digestOf } from '../../base/digest.ts'
import { ifThere, makeFolder } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { putFile } from '../../base/put-file.ts'
import { readReceipts, RECEIPTS_SUFFIX, SIGNATURE_SUFFIX } from './read.ts'
import { receiptLine, type Receipt } from './receipt.ts'
import { sign, type SigningKey } from './signing-key.ts'

/** Receipts that were written. */
export interface Written {
  readonly file: string
  readonly receipts: number
  /** Fingerprint of the key that signed them. */
  readonly key: string | undefined
}

/**
 * Writes receipts into `folder`, whole or not at all, as one file that is named after its bytes,
 * with its signature beside it. The same receipts make the same file. Undefined: there are none. An
 * unsigned file is there when signing fails. Fails with `signing-failed`, `disk-full` or
 * `host-refuses`.
 */
export async function writeReceipts(
  folder: string,
  receipts: readonly Receipt[],
  key: SigningKey | undefined,
): Promise<Written | undefined> {
  const stated = receipts.map((receipt) => ({ ...receipt, builder: key?.fingerprint }))
  const lines = [...new Set(stated.map(receiptLine))].sort(byCodeUnit)
  if (lines.length === 0) return undefined
  const text = lines.map((line) => `${line}\n`).join('')
  const name = `${digestOf(text).slice(0, 16)}${RECEIPTS_SUFFIX}`
  await makeFolder(folder)
  const put = (file: string, content: string): Promise<void> =>
    putFile(folder, file, (part) => writeFile(part, content, { flag: 'wx' }))
  await put(name, text)
  if (key !== undefined)
    await put(`${name}${SIGNATURE_SUFFIX}`, await sign(key, text, join(folder, name)))
  return { file: join(folder, name), receipts: lines.length, key: key?.fingerprint }
}

/**
 * Receipts in the folder `name` of `root`, where an engine in other hands wrote them. None where
 * that folder is missing. Fails like {@link readReceipts}, and with `unsafe-path`.
 */
export async function receiptsIn(root: string, name: string): Promise<Receipt[]> {
  if ((await ifThere(lstat(join(root, name)))) === undefined) return []
  const folder = beneath(root, name, (parent, last) => parent.folder(last))
  try {
    const names = folder
      .names()
      .map(String)
      .filter((file) => file.endsWith(RECEIPTS_SUFFIX))
    const files = names.sort(byCodeUnit).map((file) => readReceipts(folder.at(file), NOBODY))
    return (await Promise.all(files)).flatMap(({ receipts }) => receipts)
  } finally {
    folder.close()
  }
}

/** Nobody's signature is looked for: whoever takes the receipts answers for them. */
const NOBODY = { signers: [], at: 0 }
