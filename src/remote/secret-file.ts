import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { openRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'

/** Bytes; more than any key or token has. */
const LARGEST = 16 << 10

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
  const fail = (reason: string, cause?: unknown): FixpointError => {
    return new FixpointError(code, `Cannot use ${WHAT[code]} file "${path}": ${reason}`, {
      facts: { file: path },
      cause,
    })
  }
  try {
    const file = await openRegular(path, 'follow')
    if (file === undefined) throw fail('it is no regular file')
    try {
      const { mode, size } = await file.stat()
      if ((mode & 0o077) !== 0) throw fail('other users may read or change it')
      if (size > LARGEST) throw fail(`it has more than ${String(LARGEST)} bytes`)
      return (await file.read({ buffer: Buffer.alloc(size) })).buffer.toString()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof FixpointError) throw error
    const absent = errorCode(error) === 'ENOENT' ? 'there is no such file' : undefined
    throw fail(absent ?? systemReason(error) ?? String(error), error)
  }
}

/** The bearer token in a file. RFC 6750. Fails with `code`. */
export async function readToken(
  path: string,
  code: 'cache-token' | 'remote-token',
): Promise<string> {
  const token = (await readSecret(path, code)).trim()
  if (/^[\w.~+/=-]+$/.test(token)) return token
  throw new FixpointError(code, `Cannot use token file "${path}": it holds no token`, {
    facts: { file: path },
  })
}
