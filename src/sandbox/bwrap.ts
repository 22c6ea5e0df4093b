import { withDevicesKept } from './devices.ts'
import { limited } from './limits.ts'

/** A folder or file of the machine and where the sandbox shows it. */
export interface Mount {
  readonly from: string
  readonly to: string
  readonly writable?: boolean
}

/** A sandbox: nothing of the machine is in it but the mounts and the kernel. */
export interface SandboxSpec {
  /** Folder shown read-only as `/`; holds the mount points that {@link MOUNT_POINTS} names. */
  readonly root: string
  readonly mounts: readonly Mount[]
  /** All variables; none is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly command: readonly string[]
  /** File of a {@link callFilter}; undefined: all system calls may be made. */
  readonly filter?: string
}

/** Folders that `root` must hold, so that something can be mounted there. */
export const MOUNT_POINTS = [
  'build',
  'dev',
  'out',
  'patches',
  'files',
  'proc',
  'run',
  'sources',
  'steps',
  'tmp',
] as const

/**
 * User and group in the sandbox: not 0, since tools that believe they are root try to give files
 * away, and only one id is mapped.
 */
const ID = '1000'

/** The descriptor that bubblewrap reads the filter from. */
const FILTER = 4

/** Bytes that each folder in memory may take: /tmp and what shares memory by name, then /run. */
const SIZES = { '/tmp': 1 << 30, '/dev/shm': 1 << 30, '/run': 64 << 20 } as const

/**
 * The command that runs `spec` by bubblewrap 0.7 or later
 * (https://github.com/containers/bubblewrap). The limits are set first. `setarch -R` follows:
 * without address space randomisation, tools that order things by address write the same each time.
 */
export function sandboxCommand(spec: SandboxSpec, { terminal = false } = {}): string[] {
  return [
    ...limited(spec.filter === undefined ? undefined : { file: spec.filter, as: FILTER }),
    ...withDevicesKept(),
    // Named by its system, as busybox's wants it.
    ...['setarch', 'linux64', '-R', 'bwrap'],
    // An own user namespace also for root: the build then is an ordinary user on every machine.
    ...[
      '--unshare-user',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-net',
      '--unshare-cgroup-try',
    ],
    // The command is process 1 of its namespace: when it ends, the kernel ends all others before
    // bwrap ends.
    '--as-pid-1',
    ...['--uid', ID, '--gid', ID, '--hostname', 'fixpoint'],
    // The engine's death ends the sandbox; a session of its own keeps it from typing into the
    // user's terminal, unless it is the user's shell.
    ...['--die-with-parent', ...(terminal ? [] : ['--new-session'])],
    ...[
      '--clearenv',
      ...Object.entries(spec.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ],
    ...['--ro-bind', spec.root, '/', '--dev', '/dev', '--proc', '/proc'],
    ...Object.entries(SIZES).flatMap(([folder, size]) => [
      ...['--perms', folder === '/run' ? '0755' : '1777'],
      ...['--size', String(size), '--tmpfs', folder],
    ]),
    ...spec.mounts.flatMap(({ from, to, writable }) => [
      writable === true ? '--bind' : '--ro-bind',
      from,
      to,
    ]),
    // Last, since mount points are made in /dev. As root outside, a process could else write the
    // kernel's settings.
    ...['--remount-ro', '/dev', '--remount-ro', '/proc'],
    ...(spec.filter === undefined ? [] : ['--seccomp', String(FILTER)]),
    ...['--chdir', spec.folder, '--', ...spec.command],
  ]
}
