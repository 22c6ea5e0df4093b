import { spawnSync } from 'node:child_process'
import { FixpointError } from '../base/error.ts'
import { sandboxCommand } from './bwrap.ts'
import { programFolders } from './programs.ts'

/**
 * The command that sets up a sandbox around nothing: it ends with status 0 where that can be done.
 * `root` has a shell and the mount points.
 */
export function probeCommand(root = '/'): string[] {
  return sandboxCommand({
    root,
    mounts: [],
    env: {},
    folder: '/',
    command: ['/bin/sh', '-c', ':'],
  })
}

/**
 * Makes sure that this host can set up the sandbox, by setting one up. Fails with
 * `sandbox-unavailable`: there is no way of building without it, since an unisolated build could
 * take anything from the host.
 */
export function requireSandbox(root = '/'): void {
  const [command = '', ...args] = probeCommand(root)
  const { status, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH: programFolders() },
  })
  if (status === 0) return
  const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? ''
  throw new FixpointError('sandbox-unavailable', `Cannot set up the sandbox: ${reason}`)
}
