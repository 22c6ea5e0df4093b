import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { FixpointError } from './error.ts'

/** Programs that can take a default ACL away; busybox has the second. */
const REMOVERS = [
  ['setfacl', '-k'],
  ['setfattr', '-x', 'system.posix_acl_default'],
] as const

/**
 * Takes away the default ACL that a folder has from the one above it (acl(5)): it would decide the
 * modes of what is made below, in place of the umask. Fails with `default-acl` where it cannot be
 * taken away.
 */
export function removeDefaultAcl(folder: string): void {
  if (!hasDefaultAcl(folder)) return
  for (const [program, ...args] of REMOVERS)
    spawnSync(program, [...args, folder], { stdio: 'ignore' })
  if (!hasDefaultAcl(folder)) return
  throw new FixpointError(
    'default-acl',
    `Cannot build below "${folder}": a default ACL decides the modes of files there`,
  )
}

/** The umask has no say where there is a default ACL, so two of them give one mode. */
function hasDefaultAcl(folder: string): boolean {
  return newFileMode(folder, 0o022) === newFileMode(folder, 0o077)
}

function newFileMode(folder: string, umask: number): number {
  const path = join(folder, 'probe')
  // All of this is synchronous: nothing else sees the umask.
  const before = process.umask(umask)
  try {
    const file = openSync(path, 'wx', 0o666)
    const { mode } = fstatSync(file)
    closeSync(file)
    return mode
  } finally {
    process.umask(before)
    unlinkSync(path)
  }
}
