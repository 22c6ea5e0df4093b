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

/**
 * Needs a mount namespace of its own, and root without CAP_SYS_ADMIN (number 21) a user namespace
 * for that. Tries nothing out: a process that is killed must end all.
 */
const SCRIPT = `protect=$1
shift
[ -O /dev/null ] || exec "$@"
while read -r key value; do
  case $key in CapEff:) may=$((0x$value >> 21 & 1)) ;; esac
done < /proc/self/status
if [ "$may" = 1 ]; then exec unshare -m sh -c "$protect" sh "$@"; fi
exec unshare -U -r -m sh -c "$protect" sh "$@"`

/** Words in front of a sandbox's command that keep it from changing the machine's devices. */
export function withDevicesKept(): string[] {
  return ['sh', '-c', SCRIPT, 'sh', PROTECT]
}
