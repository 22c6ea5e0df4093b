#!/usr/bin/env bash
# Runs a command and says what it took at its peak, on standard error: memory as the sum of the
# proportional set sizes of it and all its descendants, disk as what the file system of a folder
# lost meanwhile. Samples every five seconds. What else the machine does to that file system counts
# too.
#   test/bench/peak.sh FOLDER COMMAND...
set -euo pipefail

folder=$1
shift
before=$(df --output=avail -k "$folder" | tail -n 1)
"$@" &
command=$!
memory=0 disk=0

# The numbers of all processes below one, and its own.
family() {
  ps -e -o pid=,ppid= | awk -v root="$1" '
    { parent[$1] = $2 }
    END {
      for (p in parent) {
        q = p; while (q in parent && q != root) q = parent[q]
        if (q == root) print p
      }
    }'
}

while kill -0 "$command" 2> /dev/null; do
  now=$(for pid in $(family "$command"); do cat "/proc/$pid/smaps_rollup" 2> /dev/null || :; done |
    awk '/^Pss:/ { sum += $2 } END { print sum + 0 }')
  [ "$now" -le "$memory" ] || memory=$now
  now=$((before - $(df --output=avail -k "$folder" | tail -n 1)))
  [ "$now" -le "$disk" ] || disk=$now
  sleep 5
done
status=0
wait "$command" || status=$?
printf 'peak: %d MiB of memory, %d MiB of disk\n' $((memory / 1024)) $((disk / 1024)) >&2
exit "$status"
