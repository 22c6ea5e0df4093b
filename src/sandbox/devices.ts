/**
 * The machine's devices that bubblewrap shows in a sandbox. Mode and times of each are the
 * machine's own. A sandbox of root has the right to change them, as their owner.
 */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty']

/** What is mounted at any of these paths holds or is a device. */
const POINTS = ['/dev', ...DEVICES.map((name) => `/dev/${name}`)]

/**
 * Mounts /dev over itself, read-only: devices can be used as before, not changed. Bubblewrap keeps
 * that, but cannot do it. Its `--remount-ro` forbids the use of devices. All other options stay as
 * they are: root of a container may not lift them.
 */
const PROTECT = `mount --rbind /dev /dev || exit 1
keep() { mount -o "remount,bind,$1,ro" "$2" "$2" || exit 1; }
todo=
while read -r id parent device root point options rest; do
  case $point in ${POINTS.join(' | ')}) todo="$todo keep $options $point;" ;; esac
done < /proc/self/mountinfo
eval "$todo"
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
