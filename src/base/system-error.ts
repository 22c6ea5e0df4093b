import { dirname } from 'node:path'
import { FixpointError } from './error.ts'
import { errorCode, explainDiskFull } from './files.ts'

/**
 * What the system's error codes mean that only the host or an argument can bring about; any other
 * is a bug of ours.
 */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  EEXIST: 'something else is there already',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  EIO: 'the disk or device fails',
  ENXIO: 'there is no such device',
  ENODEV: 'there is no such device',
  ESTALE: 'its server has it no more',
}

/** Names of system calls that say little to a reader. */
const ACTIONS: Readonly<Record<string, string>> = {
  mkdir: 'make folder',
  scandir: 'list',
  stat: 'look at',
  lstat: 'look at',
  unlink: 'remove',
  rmdir: 'remove',
  rm: 'remove',
  copyfile: 'copy',
  symlink: 'make link',
  read: 'read',
  write: 'write',
  rename: 'rename',
  link: 'link',
  chmod: 'change the mode of',
  chown: 'change the owner of',
}

/**
 * What an error code of the system means, in words; undefined for one that is none of the host's.
 */
export function systemReason(error: unknown): string | undefined {
  return REASONS[errorCode(error) ?? '']
}

/**
 * Turns a failed system call that only the host or an argument can have brought about into an error
 * that says so; hands every other error on.
 */
export function explainSystemError(error: unknown): unknown {
  if (error instanceof FixpointError || !isSystemError(error)) return error
  const reason = systemReason(error)
  if (reason === undefined)
    return error.path === undefined ? error : explainDiskFull(error, dirname(error.path))
  const action = error.syscall.startsWith('spawn') ? 'run' : (ACTIONS[error.syscall] ?? 'open')
  const what = error.path === undefined ? 'a file' : `"${error.path}"`
  return new FixpointError('host-refuses', `Cannot ${action} ${what}: ${reason}`, {
    cause: error,
  })
}

function isSystemError(
  error: unknown,
): error is Error & { readonly syscall: string; readonly path?: string } {
  return error instanceof Error && 'syscall' in error && typeof error.syscall === 'string'
}
