import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'

/**
 * Opens a disk for this process alone: with O_EXCL, Linux refuses one that anything else holds, see
 * open(2). No other program mounts it before it is closed. Fails with `disk-busy`, or
 * `host-refuses`.
 */
export async function openUnused(path: string, purpose: 'read' | 'write'): Promise<FileHandle> {
  const mode = purpose === 'read' ? constants.O_RDONLY : constants.O_RDWR
  try {
    return await open(path, mode | constants.O_EXCL)
  } catch (cause) {
    if (errorCode(cause) === 'EBUSY')
      throw new FixpointError('disk-busy', `Cannot write to "${path}": something holds it`, {
        cause,
      })
    const reason = systemReason(cause)
    if (reason === undefined) throw cause
    throw new FixpointError('host-refuses', `Cannot open "${path}": ${reason}`, { cause })
  }
}
