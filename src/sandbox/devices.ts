/**
 * The machine's devices that bubblewrap shows in a sandbox. Mode and times of each are the
 * machine's own. A sandbox of root has the right to change them, as their owner.
 */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty']

/**
 * Mounts each device over itself, read-only: it can be used as before, not changed. Bubblewrap
 * keeps that, but cannot do it. Its `--remount-ro` forbids the use of devices. The other flags are
 * named since mounts of a machine may have them, and who is root of a container only must keep
 * them.
 */
const PROTECT = `for device in ${DEVICES.map((name) => `/dev/${name}`).join(' ')}; do
  mount --bind "$device" "$device" &&
    mount -o remount,bind,ro,nosuid,noexec "$device" "$device" || exit 1
done
exec "$@"`

/** Needs another mount namespace, and root of a container may need a user namespace for that. */
const SCRIPT = `protect=$1
shift
[ -O /dev/null ] || exec "$@"
if unshare -m true 2> /dev/null; then exec unshare -m sh -c "$protect" sh "$@"; fi
exec unshare -U -r -m sh -c "$protect" sh "$@"`

/** Words in front of a sandbox's command that keep it from changing the machine's devices. */
export function withDevicesKept(): string[] {
  return ['sh', '-c', SCRIPT, 'sh', PROTECT]
}
