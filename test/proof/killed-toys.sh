#!/usr/bin/env bash
# Kills the engine with SIGKILL at moments that seeds choose, in builds of 60 small actions, until
# it was killed 200 times. Each build is killed up to 20 times and then ends. Its artifacts must be
# those of an undisturbed build, no process of a killed run may live on, the store must be sound,
# and nothing of the killed runs may be left in it.
#
# With `power` the disk of the store loses its power in the same moment: what the system had not yet
# written to it is gone. For root: the disk is a file, mounted for the purpose.
#
#   test/proof/killed-toys.sh [KILLS] [power]    default: 200
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
kills=${1:-200}
mode=${2:-}
# In a mount namespace of its own: one that another program makes meanwhile would keep the disk's
# mount, and with it the state of a disk without power.
if [ "$mode" = power ]; then exec unshare -m "$0" "$kills" unshared; fi
actions=60
work=$(mktemp -d)
store=$work/disk/store
trap 'remove' EXIT

main() {
  local round=0 killed=0 seed=0 began=$EPOCHREALTIME first pace before left
  mkdir "$work/disk"
  if [ "$mode" = unshared ]; then
    truncate -s 4G "$work/image"
    mke2fs -q -F -t ext4 "$work/image"
    mount -o loop "$work/image" "$work/disk"
  fi
  graph 0
  # Once before the clock runs: it reads the host.
  quietly build n1
  first=$EPOCHREALTIME
  quietly build "n$actions"
  pace=$(awk -v a="$first" -v b="$EPOCHREALTIME" -v n="$actions" 'BEGIN { print (b - a) / n }')
  echo "undisturbed: $pace s an action"
  digests > "$work/wanted"
  while [ "$killed" -lt "$kills" ]; do
    round=$((round + 1))
    # A variable that nothing reads: other keys, the same bytes.
    graph "$round"
    before=$(stored)
    for _ in $(seq 20); do
      seed=$((seed + 1))
      kill_build "$seed" "$pace" "$before" || break
      killed=$((killed + 1))
      [ "$killed" -lt "$kills" ] || break
    done
    quietly build "n$actions"
    digests | cmp - "$work/wanted" || fail "round $round: other artifacts"
    quietly store verify
    left=$(left work partial kept damaged)
    [ -z "$left" ] || fail "round $round: left: $left"
  done
  awk -v what="${mode:+power cut and }killed" -v kills="$killed" -v rounds="$round" \
    -v actions="$actions" -v a="$began" -v b="$EPOCHREALTIME" '
    { fifth[int($1 * 5 / actions)]++; amid += $2 > 0 }
    END {
      printf "%s %d times in %d builds", what, kills, rounds
      printf " of %d actions, in %d s: ", actions, b - a
      print "the same artifacts, nothing left over"
      printf "by fifths of the build: %d, %d, %d, %d, %d; ",
        fifth[0], fifth[1], fifth[2], fifth[3], fifth[4] + fifth[5]
      printf "%d kills left a work folder with something in it\n", amid
    }' "$work/kills"
}

# kill_build SEED PACE BEFORE: fails when the build ended before the moment that the seed chose: up
# to nine actions after the build's start, and up to two of an action's PACE later. The next run
# goes on where this one stopped, so the kills of a round spread over all of the build, however busy
# the machine is.
kill_build() {
  local after delay engine status=0 ended
  read -r after delay < <(awk -v seed="$1" -v pace="$2" \
    'BEGIN { srand(seed); rand(); printf "%d %.3f\n", rand() * 10, rand() * 2 * pace }')
  : > "$work/said"
  # Not by the function: its shell would be killed, and the engine would go on.
  (cd "$work/tree" && exec node "$here/dist/src/cli/main.js" --store "$store" build "n$actions") \
    > "$work/said" 2>&1 &
  engine=$!
  while kill -0 "$engine" 2> /dev/null && [ "$(grep -c '^built ' "$work/said")" -lt "$after" ]; do
    sleep 0.05
  done
  sleep "$delay"
  kill -KILL "$engine" 2> /dev/null || true
  wait "$engine" 2> /dev/null || status=$?
  [ "$mode" != unshared ] || perl -e "$shut_down" "$work/disk"
  if [ "$status" = 0 ]; then
    [ "$mode" != unshared ] || cut_power
    return 1
  fi
  [ "$status" = 137 ] || fail "seed $1: status $status: $(tail -n 3 "$work/said")"
  # The kernel ends what the sandboxes hold, and the holders of locks see that their input ends.
  for _ in $(seq 100); do
    if ! pgrep -f "$work/" > /dev/null; then
      ! grep 'store: damaged' "$work/said" || fail "seed $1: the store was damaged before"
      [ "$mode" != unshared ] || cut_power
      ended=$(($(stored) - $3))
      echo "$ended $(find "$store/work" -mindepth 2 2> /dev/null | wc -l)" >> "$work/kills"
      echo "seed $1: killed $delay s after $after actions, $ended done in all"
      return 0
    fi
    sleep 0.1
  done
  fail "seed $1: killed, and this lives on: $(pgrep -af "$work/")"
}

# EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, of Linux's fs/ext4/ext4.h.
shut_down="my \$how = pack('L', 2);
open(my \$disk, '<', \$ARGV[0]) or die \"\$!\n\";
ioctl(\$disk, 0x8004587d, \$how) or die \"\$!\n\""

# Brings the disk back, as the next start of a machine does. The first mount replays the journal.
cut_power() {
  umount "$work/disk"
  mount -o loop "$work/image" "$work/disk"
  umount "$work/disk"
  e2fsck -fn "$work/image" > "$work/fsck" 2>&1 || fail "a damaged disk: $(cat "$work/fsck")"
  mount -o loop "$work/image" "$work/disk"
  quietly store verify
}

remove() {
  ! mountpoint -q "$work/disk" || umount "$work/disk"
  chmod -R u+w "$work"
  rm -rf "$work"
}

fixpoint() {
  (cd "$work/tree" && exec node "$here/dist/src/cli/main.js" --store "$store" "$@")
}

quietly() {
  fixpoint "$@" > "$work/said" 2>&1 || fail "$*: status $?: $(tail -n 3 "$work/said")"
  ! grep 'store: damaged' "$work/said" || fail "$*: the store was damaged"
}

# Number of artifacts that the index names.
stored() {
  find "$store/index" -type f | wc -l
}

left() {
  (cd "$store" && find "$@" -mindepth 1)
}

# graph SEED: recipes of a host layer, each above two earlier ones, all below the last. Two can run
# at a time.
graph() {
  local layers=$work/tree/layers n inputs
  rm -rf "$layers"
  mkdir -p "$layers/machines" "$layers/styles"
  printf 'machine: x86_64\nhost-layers: [toys]\nlayers: [toys]\n' > "$layers/layers.yaml"
  echo 'arch: x86_64' > "$layers/machines/x86_64.yaml"
  printf 'name: script\nsummary: Commands\nsteps:\n  install: ":"\n' > "$layers/styles/script.yaml"
  for n in $(seq "$actions"); do
    inputs=
    [ "$n" -lt 5 ] || inputs="inputs: [toys/n$((n / 2)), toys/n$((n - 2))]"
    [ "$n" -lt "$actions" ] || inputs="inputs: [$(seq -f 'toys/n%g' -s ', ' $((n - 1)))]"
    mkdir -p "$layers/toys/n$n"
    cat > "$layers/toys/n$n/recipe.yaml" <<end
name: n$n
version: '1'
summary: Toy
license: MIT
$inputs
style: script
env:
  SEED: '$1'
steps:
  install: |
    mkdir -p "\$OUT/toys/n$n/deep"
    { echo n$n; cat /toys/*/text 2> /dev/null | sha256sum; } > "\$OUT/toys/n$n/text"
    seq $((n * 200)) > "\$OUT/toys/n$n/deep/numbers"
    ln -s ../text "\$OUT/toys/n$n/deep/link"
end
  done
}

# Recipes and artifacts, in order.
digests() {
  fixpoint build $(seq -f 'n%g' "$actions") 2> /dev/null | sort
}

fail() {
  echo "$*" >&2
  exit 1
}

main "$@"
