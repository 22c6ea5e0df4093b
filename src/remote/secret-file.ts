import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { openRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'

/** Bytes; more than any key or token has. */
const LARGEST = 16 << 10

/**
 * The text of a file that holds a secret. Fails with `code` when it cannot be read, is too large,
 * or when other users may read it.
 */
export async function readSecret(path: string, code: 'cache-key' | 'cache-token'): Promise<string> {
  const fail = (reason: string, cause?: unknown): FixpointError => {
    const what = code === 'cache-key' ? 'key' : 'token'
    return new FixpointError(code, `Cannot use ${what} file "${path}": ${reason}`, {
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
