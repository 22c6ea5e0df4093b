import { expect, test } from 'vitest'
import { FixpointError } from '../../../src/base/error.ts'
import { explainSystemError } from '../../../src/base/system-error.ts'

function failed(code: string, syscall: string, path?: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), {
    code,
    syscall,
    ...(path !== undefined && { path }),
  })
}

test.each([
  [failed('EACCES', 'open', '/x/y'), 'Cannot open "/x/y": permission denied'],
  [failed('EROFS', 'mkdir', '/x'), 'Cannot make folder "/x": the file system is read-only'],
  [failed('EACCES', 'spawn bwrap', 'bwrap'), 'Cannot run "bwrap": permission denied'],
  [failed('EISDIR', 'read'), 'Cannot read a file: it is a folder'],
  [failed('ENOSPC', 'copyfile', '/x/y'), 'Cannot write below "/x": the disk is full'],
  [failed('ENOENT', 'spawn flock', 'flock'), 'Cannot run "flock": there is no such program'],
  [failed('ENOENT', 'uv_cwd'), 'Cannot open the working folder: it was removed'],
  [failed('EAGAIN', 'read'), 'Cannot read a file: the system cannot give it at the moment'],
  [
    failed('Unknown system error -117', 'open', '/x'),
    'Cannot open "/x": the file system fails with error 117',
  ],
])('%s is the host', (error, message) => {
  expect(explainSystemError(error)).toMatchObject({ kind: 'hostUnfit', message, cause: error })
})

test('a bug stays a bug, and what is explained stays as it is', () => {
  const known = new FixpointError('no-home', 'x')
  for (const error of [failed('ENOENT', 'open', '/x'), new TypeError('x'), known])
    expect(explainSystemError(error)).toBe(error)
})
