import { closeSync } from 'node:fs'
import type { Folder } from '../../base/beneath.ts'
import { digestOfOpenFile } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import type { Turns } from '../../base/turns.ts'
import type { MirrorFault } from './faults.ts'
import type { MirrorFile } from './list.ts'

/** Compares a file with its digest. Nothing is read through a link. */
export async function examine(
  folder: Folder,
  { name, digest }: MirrorFile,
  turns: Turns,
): Promise<MirrorFault | undefined> {
  const fd = openListed(folder, name)
  if (typeof fd !== 'number') return fd
  try {
    const found = await digestOfOpenFile(fd, turns)
    return found === digest ? undefined : { kind: 'bad', path: name, wanted: digest, found }
  } catch (error) {
    return faultOf(name, error)
  } finally {
    closeSync(fd)
  }
}

/** Opens a file that a list names, for reading; or says why it cannot be read. */
export function openListed(folder: Folder, name: string): number | MirrorFault {
  try {
    return folder.read(name)
  } catch (error) {
    return faultOf(name, error)
  }
}

/** What keeps a file from being read. Throws what is no doing of the mirror. */
function faultOf(path: string, error: unknown): MirrorFault {
  if (error instanceof FixpointError && error.code === 'unsafe-path')
    return { kind: 'not-a-file', path }
  if (errorCode(error) === 'ENOENT') return { kind: 'missing', path }
  const reason = systemReason(error)
  if (reason === undefined) throw error
  return { kind: 'unreadable', path, reason }
}
