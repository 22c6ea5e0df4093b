import { filesOfImage } from '../../image/read-record.ts'
import { receiptPaths, SIGNATURE_SUFFIX } from '../receipts/read.ts'

/**
 * Files that a page is made of and that a user names: image, record, receipts with their
 * signatures, and signers. Fails with `no-record` or `receipts-unreadable`.
 */
export async function inputFiles(
  image: string,
  receipts: readonly string[] | undefined,
  signers: string | undefined,
): Promise<string[]> {
  const files = receipts === undefined ? [] : await receiptPaths(receipts)
  const signatures = files.map((file) => file + SIGNATURE_SUFFIX)
  const list = signers === undefined ? [] : [signers]
  return [...(await filesOfImage(image)), ...list, ...files, ...signatures]
}
