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
  EAGAIN: 'the system cannot give it at the moment',
  ENOMEM: 'there is not enough memory',
  EBUSY: 'it is in use by the system',
  ETXTBSY: 'it is a program that runs',
  EFBIG: 'the file would be larger than is allowed',
  EMLINK: 'it has too many names',
  EXDEV: 'it is on another file system',
  ENOTSUP: 'the file system cannot do it',
  ENOSYS: 'the system cannot do it',
  ETIMEDOUT: 'its server does not answer',
  ENOTCONN: 'its file system has ended',
  ESTALE: 'its server has it no more',
}

/** Names of system calls that say little to a reader. */
const ACTIONS: Readonly<Record<string, string>> = {
  access: 'use',
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
  const code = errorCode(error) ?? ''
  // Those that Node has no name for are of file systems: damaged, or of a server.
  const unnamed = /^Unknown system error -(\d+)$/.exec(code)?.[1]
  return unnamed === undefined ? REASONS[code] : `the file system fails with error ${unnamed}`
}

/** Codes of the system by which it keeps a user from changing a folder. */
const FORBIDDEN = ['EACCES', 'EPERM', 'EROFS']

/**
 * The error of something that the system does not let this user put at `path`, and what to do about
 * it; undefined for any other failure.
 */
export function forbidden(
  action: 'make' | 'write',
  path: string,
  cause: unknown,
): FixpointError | undefined {
  const code = errorCode(cause) ?? ''
  if (!FORBIDDEN.includes(code)) return undefined
  const hint =
    code === 'EROFS'
      ? 'Mount it so that it can be written to, or work on a copy'
      : `Let this user write to the folder "${dirname(path)}", or run the command as its owner`
  const message = `Cannot ${action} "${path}": ${systemReason(cause) ?? code}`
  return new FixpointError('host-refuses', message, { cause, hint })
}

/**
 * Turns a failed system call that only the host or an argument can have brought about into an error
 * that says so; hands every other error on.
 */
export function explainSystemError(error: unknown): unknown {
  if (error instanceof FixpointError || !isSystemError(error)) return error
  const reason = missingReason(error) ?? systemReason(error)
  if (reason === undefined)
    return error.path === undefined ? error : explainDiskFull(error, dirname(error.path))
  const action = error.syscall.startsWith('spawn') ? 'run' : (ACTIONS[error.syscall] ?? 'open')
  const what =
    error.syscall === 'uv_cwd'
      ? 'the working folder'
      : error.path === undefined
        ? 'a file'
        : `"${error.path}"`
  return new FixpointError('host-refuses', `Cannot ${action} ${what}: ${reason}`, {
    cause: error,
  })
}

/** What ENOENT means for a program to run, and for the working folder; a file of ours is a bug. */
function missingReason(error: SystemError): string | undefined {
  if (errorCode(error) !== 'ENOENT') return undefined
  if (error.syscall === 'uv_cwd') return 'it was removed'
  return error.syscall.startsWith('spawn') ? 'there is no such program' : undefined
}

type SystemError = Error & { readonly syscall: string; readonly path?: string }

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && typeof error.syscall === 'string'
}
