import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { runOnPipe, runUntilPipeCloses, type OutputStreams } from './child-on-a-pipe.ts'

/** Folders and files of the machine that an unpacked image sees, beside the kernel. */
export interface ImageRoot {
  /** The image's root, unpacked. */
  readonly root: string
  /** Becomes /data, where the store is. */
  readonly data: string
  /** Becomes /mirror. */
  readonly mirror: string
  /** The image, becomes {@link IMAGE}. */
  readonly image: string
}

/** Where a program in there prints. */
export interface Terminal extends OutputStreams {
  /** Value of TERM. */
  readonly terminal: string
}

/** Path in there of the image file. */
export const IMAGE = '/run/image'

/**
 * The image's own shell runs this as root of a user namespace that maps one id, with its own
 * mounts, processes and network. It builds a root folder and makes it the root. Nothing may be
 * mounted over /proc here: the kernel then refuses a fresh /proc to the sandboxes inside. The
 * engine is killed when the caller's pipe closes. With this shell, the first process of its
 * namespace, all others end.
 */
const SCRIPT = `set -eu
root=$1 data=$2 mirror=$3 image=$4
shift 4
mount --bind "$root" "$root"
cd "$root"
mount --bind "$data" data
mount --bind "$mirror" mirror
mount -t tmpfs -o mode=755 run run
mkdir run/installed run/before
mount --bind "$root" run/installed
: > run/image
mount --bind "$image" run/image
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 dev dev
for name in null zero full random urandom tty; do
  : > "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/shm dev/pts
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t proc proc proc
pivot_root . run/before
cd /
umount -l run/before
${runUntilPipeCloses('KILL')}`

/**
 * Makes sure that an image's busybox can set up namespaces on this host: fails with
 * `namespaces-unavailable`.
 */
export function requireImageRoot(root: string): void {
  const [busybox, ...unshare] = unshareCommand(root)
  const { status, stderr, error } = spawnSync(busybox, [...unshare, 'true'], {
    encoding: 'utf8',
    env: {},
  })
  if (status === 0) return
  const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? ''
  throw new FixpointError('namespaces-unavailable', `Cannot run the image's engine here: ${reason}`)
}

/**
 * Runs a command in the root of an unpacked image, prints its output, and resolves with its exit
 * status. Ends it when `signal` aborts.
 */
export function runInImageRoot(
  { root, data, mirror, image }: ImageRoot,
  command: readonly string[],
  { terminal, ...output }: Terminal,
  signal: AbortSignal,
): Promise<number | null> {
  const [busybox, ...unshare] = unshareCommand(root)
  return runOnPipe(
    busybox,
    [...unshare, 'sh', '-c', SCRIPT, 'image-root', root, data, mirror, image, ...command],
    {
      // The image may be anyone's, and so may what its engine prints.
      output,
      // The image's tools, also before its root is the root.
      env: {
        PATH: `${join(root, 'usr/bin')}:/usr/bin`,
        HOME: '/root',
        TERM: terminal,
      },
    },
    signal,
  )
}

/** The image's own busybox in new namespaces, up to the applet to run there. */
function unshareCommand(root: string): [string, ...string[]] {
  const busybox = join(root, 'usr/bin/busybox')
  return [busybox, 'unshare', '-U', '-r', '-m', '-p', '-f', '-n', '-i', '-u', busybox]
}
