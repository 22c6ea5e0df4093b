import { X509Certificate } from 'node:crypto'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { openRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'

/** Bytes; more than any key or token has. */
const LARGEST = 16 << 10

/** Bytes; more than all authorities that a system knows take. */
const LARGEST_CERTIFICATES = 4 << 20

/** Codes of errors about files with secrets, and what such a file is. */
const WHAT = {
  'cache-key': 'key',
  'cache-certificate': 'certificate',
  'cache-token': 'token',
  'remote-token': 'token',
  'remote-certificate': 'key',
} as const

/**
 * The text of a file that holds a secret. Fails with `code` when it cannot be read, is too large,
 * or when other users may read it.
 */
export async function readSecret(path: string, code: keyof typeof WHAT): Promise<string> {
  const file = { code, what: WHAT[code], path }
  return readSmall(file, LARGEST, (mode) => {
    if ((mode & 0o077) !== 0)
      throw unusable({ ...file, isOpenToOthers: true }, 'other users may read or change it')
  })
}

/** The certificates in a PEM file, which hold no secret. Fails with `remote-certificate`. */
export async function readPublicPem(path: string): Promise<string> {
  const file = { code: 'remote-certificate' as const, what: 'certificate', path }
  const text = await readSmall(file, LARGEST_CERTIFICATES, () => undefined)
  try {
    new X509Certificate(text)
    return text
  } catch (error) {
    throw unusable(file, 'it holds no certificate in PEM', error)
  }
}

/** The bearer token in a file. RFC 6750. Fails with `code`. */
export async function readToken(
  path: string,
  code: 'cache-token' | 'remote-token',
): Promise<string> {
  const token = (await readSecret(path, code)).trim()
  if (/^[\w.~+/=-]+$/.test(token)) return token
  throw unusable({ code, what: WHAT[code], path }, 'it holds no token')
}

/** A file that the configuration names. */
export interface NamedFile {
  readonly code: keyof typeof WHAT
  /** What it should be. */
  readonly what: string
  readonly path: string
  readonly isOpenToOthers?: boolean
}

/** The error about a file that the configuration names. */
export function unusable(
  { code, what, path, isOpenToOthers = false }: NamedFile,
  reason: string,
  cause?: unknown,
): FixpointError {
  return new FixpointError(code, `Cannot use ${what} file "${path}": ${reason}`, {
    facts: { file: path, isOpenToOthers },
    cause,
  })
}

async function readSmall(
  named: NamedFile,
  largest: number,
  checkMode: (mode: number) => void,
): Promise<string> {
  try {
    const file = await openRegular(named.path, 'follow')
    if (file === undefined) throw unusable(named, 'it is no regular file')
    try {
      const { mode, size } = await file.stat()
      checkMode(mode)
      if (size > largest) throw unusable(named, `it has more than ${String(largest)} bytes`)
      return (await file.read({ buffer: Buffer.alloc(size) })).buffer.toString()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof FixpointError) throw error
    const absent = errorCode(error) === 'ENOENT' ? 'there is no such file' : undefined
    throw unusable(named, absent ?? systemReason(error) ?? String(error), error)
  }
}
