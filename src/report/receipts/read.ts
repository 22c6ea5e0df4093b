import { isUtf8 } from 'node:buffer'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { errorCode, ifThere } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { readRegular, readRegularBytes } from '../../base/regular.ts'
import { systemReason } from '../../base/system-error.ts'
import { NoReceipt, parseReceipt, type Receipt } from './receipt.ts'
import { checkSignature } from './ssh/signature.ts'
import { findSigner, parseSigners, type Refusal, type Signer } from './ssh/signers.ts'
import { BadBytes } from './ssh/wire.ts'

/** How the names of files of receipts end, and those of their signatures. */
export const RECEIPTS_SUFFIX = '.intoto.jsonl'
export const SIGNATURE_SUFFIX = '.sig'

/** What a signature of receipts is for, so that none of another purpose passes for one. */
export const NAMESPACE = 'fixpoint-receipt'

/** Bytes; all receipts of an image of a hundred packages are far below. */
const LARGEST_FILE = 64 << 20
const LARGEST_SIGNATURE = 16 << 10
const LARGEST_LIST = 1 << 20

/** Who signed a file, and why that does not count where it does not. */
export interface Standing {
  /** Fingerprint of the key that signed it. */
  readonly key?: string
  /** Names of the key in the file of allowed signers. */
  readonly names?: string
  /** Undefined: it counts. */
  readonly refusal: Refusal | 'unsigned' | undefined
}

/** A file of receipts. */
export interface ReceiptFile extends Standing {
  readonly path: string
  readonly receipts: readonly Receipt[]
}

/** Whom the reader trusts, and the time that signatures are judged at, in seconds since 1970. */
export interface Trust {
  readonly signers: readonly Signer[]
  readonly at: number
}

/** Reads a file of allowed signers. Fails with `signers-unusable`. */
export async function readSigners(path: string): Promise<Signer[]> {
  const bytes = await bytesOf(path, LARGEST_LIST, 'signers-unusable', 'follow')
  if (!isUtf8(bytes)) throw unreadable(path, 'it is not UTF-8', undefined, 'signers-unusable')
  return parseSigners(bytes.toString(), path)
}

/**
 * Files of receipts at the paths that a user named: of a folder, those that it holds. Signatures
 * are passed over, as `receipts/*` names them too. Fails with `receipts-unreadable`, and with
 * `no-receipts` for a folder without any.
 */
export async function receiptPaths(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(filesAt))
  const files = found
    .flat()
    .filter((path) => !path.endsWith(`${RECEIPTS_SUFFIX}${SIGNATURE_SUFFIX}`))
  if (files.length === 0) throw noReceipts(`"${paths.join('", "')}" is only a signature`)
  return [...new Set(files)].sort(byCodeUnit)
}

async function filesAt(path: string): Promise<string[]> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() !== true) return [path]
  const names = await readdir(path).catch((cause: unknown) => {
    throw unreadable(path, systemReason(cause) ?? 'it cannot be listed', cause)
  })
  const found = names.filter((name) => name.endsWith(RECEIPTS_SUFFIX))
  if (found.length === 0) throw noReceipts(`the folder "${path}" holds no file of them`)
  return found.map((name) => join(path, name))
}

/**
 * Reads a file of receipts and its signature, NAME.sig beside it. Links are refused: a folder of
 * receipts may be of others. Fails with `receipts-unreadable`, `receipt-invalid` or
 * `receipt-signature`, naming file, line, signer and cause.
 */
export async function readReceipts(path: string, trust: Trust): Promise<ReceiptFile> {
  const bytes = await bytesOf(path, LARGEST_FILE, 'receipts-unreadable')
  const standing = await standingOf(path, bytes, trust)
  // Other bytes read as the same text otherwise.
  if (!isUtf8(bytes))
    throw new FixpointError('receipt-invalid', `Cannot use "${path}": it is not UTF-8`)
  const receipts = linesOf(bytes.toString()).map((line, index) => {
    try {
      const receipt = parseReceipt(line)
      const { builder } = receipt
      if (builder !== undefined && standing.key !== undefined && builder !== standing.key)
        throw new NoReceipt(`it names the builder ${builder}, but ${standing.key} signed it`)
      return receipt
    } catch (cause) {
      if (!(cause instanceof NoReceipt)) throw cause
      const where = `line ${index + 1} of "${path}"`
      throw new FixpointError('receipt-invalid', `Cannot use ${where}: ${cause.message}`, { cause })
    }
  })
  return { path, receipts, ...standing }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

async function standingOf(path: string, bytes: Buffer, trust: Trust): Promise<Standing> {
  try {
    const armored = await ifThere(
      readRegular(`${path}${SIGNATURE_SUFFIX}`, LARGEST_SIGNATURE, 'refuse').then(
        (found) => found ?? '',
      ),
    )
    if (armored === undefined) return { refusal: 'unsigned' }
    const { key } = checkSignature(armored, bytes, NAMESPACE)
    return { key, refusal: undefined, ...findSigner(trust.signers, key, NAMESPACE, trust.at) }
  } catch (cause) {
    const reason = cause instanceof BadBytes ? cause.message : systemReason(cause)
    if (reason === undefined) throw cause
    throw new FixpointError(
      'receipt-signature',
      `Cannot accept the signature of "${path}": ${reason}`,
      { cause },
    )
  }
}

async function bytesOf(
  path: string,
  limit: number,
  code: 'receipts-unreadable' | 'signers-unusable',
  links: 'follow' | 'refuse' = 'refuse',
): Promise<Buffer> {
  let bytes: Buffer | undefined
  try {
    bytes = await readRegularBytes(path, limit, links)
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'there is no such file' : systemReason(cause)
    if (reason === undefined) throw cause
    throw unreadable(path, reason, cause, code)
  }
  if (bytes !== undefined) return bytes
  throw unreadable(path, `it is no regular file, or has more than ${limit} bytes`, undefined, code)
}

function noReceipts(reason: string): FixpointError {
  return new FixpointError('no-receipts', `Cannot judge receipts: ${reason}`)
}

function unreadable(
  path: string,
  reason: string,
  cause: unknown,
  code: 'receipts-unreadable' | 'signers-unusable' = 'receipts-unreadable',
): FixpointError {
  return new FixpointError(code, `Cannot read "${path}": ${reason}`, { cause })
}
