#!/usr/bin/env bash
# Runs a command that builds in a store, and says how much disk the tree of each recipe took at its
# peak: what its steps unpack, compile and install, as `du` counts it, without the inputs, which are
# links into the store. A tree is looked at again after forty times as long as looking took, a
# second at least, so it costs the build little, and a peak between two looks is missed.
#   test/bench/trees.sh STORE COMMAND...
set -euo pipefail

store=$1
shift
"$@" &
command=$!
declare -A peak due

# look NAME FOLDER: what a tree takes now, in KiB. Files go while it is counted. The clock is in
# microseconds.
look() {
  local began ended size
  began=${EPOCHREALTIME/./}
  size=$(du -sck "$2/build" "$2/out" 2> /dev/null | tail -n 1 | cut -f 1) || :
  ended=${EPOCHREALTIME/./}
  [ "${size:-0}" -le "${peak[$1]:-0}" ] || peak[$1]=$size
  due[$1]=$((ended + (ended - began > 25000 ? 40 * (ended - began) : 1000000)))
}

while kill -0 "$command" 2> /dev/null; do
  for folder in "$store"/work/*/*@*/; do
    folder=${folder%/}
    name=${folder##*/}
    # What an action has left is removed under another name while the next one runs.
    name=${name%.[0-9]*.gone}
    if [ -d "$folder" ] && [ "${EPOCHREALTIME/./}" -ge "${due[$name]:-0}" ]; then
      look "$name" "$folder"
    fi
  done
  sleep 1
done
status=0
wait "$command" || status=$?
for name in "${!peak[@]}"; do printf '%s %d\n' "${name/@//}" "$((peak[$name] / 1024))"; done |
  sort -k 2,2nr -k 1,1 |
  while read -r name size; do printf '%s: %d MiB of disk\n' "$name" "$size"; done >&2
exit "$status"
