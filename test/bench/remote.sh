#!/usr/bin/env bash
# Measures what an action costs on a server for remote execution: builds recipes here, on the server
# that has nothing of them, and on the server when the inputs are there. Prints for each the CPU
# time of its steps, its wall time, the CPU time of the engine, and with SERVER=PID that of a server
# on this machine with its workers, steps included; all in seconds. Wall time counts on an idle
# machine only.
#   test/bench/remote.sh ADDRESS RUNNER RECIPE...
# ADDRESS is as in the configuration, such as grpc://127.0.0.1:8980. RUNNER is a folder with node,
# bwrap and busybox, static where workers are elsewhere, and what that busybox does not have.
# RECIPE is LAYER/NAME. The user's store has the inputs and sources.
# INSTALLED=FOLDER is the root of an image that holds the inputs, as in the configuration.
set -euo pipefail
address=$1 runner=$2
shift 2
recipes=("$@")
store=${FIXPOINT_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/fixpoint}
work=$(mktemp -d -p "$(dirname "$store")")
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

# A store like the user's, without what the recipes gave.
fresh() {
  rm -rf "$work/store"
  cp -al "$store" "$work/store"
  # Locks are files of the store that was copied, whose engines may hold them.
  rm -rf "$work/store"/{locks,work}
  local recipe
  for recipe in "${recipes[@]}"; do
    { grep -lF "\"recipe\":\"$recipe\"" "$work"/store/index/* || true; } | xargs -r rm
  done
}

configure() {
  mkdir -p "$work/.config/fixpoint"
  {
    [ -z "${INSTALLED:-}" ] || echo "installed: $INSTALLED"
    printf 'remote:\n  address: %s\n  runner: %s\n' "$address" "$work/runner"
  } >"$work/.config/fixpoint/config.yaml"
  # Another program is another action: the server shall remember blobs, but no result.
  rm -rf "$work/runner"
  mkdir "$work/runner"
  cp -L "$runner"/* "$work/runner"
  { cat "$work/runner/busybox" && echo "$1"; } >"$work/runner/sync"
  chmod 755 "$work/runner/sync"
}

# Hundredths of a second of CPU time of the server and of what it has run.
server() {
  if [ -z "${SERVER:-}" ]; then echo 0; return; fi
  sed 's/.*) //' "/proc/$SERVER/stat" | awk '{ print $12 + $13 + $14 + $15 }'
}

# measure NAME OPTION ROUND: one build, of the recipes one after the other.
measure() {
  local name=$1 option=$2 recipe own before
  configure "$3"
  fresh
  for recipe in "${recipes[@]}"; do
    before=$(server)
    own=$({ time HOME=$work FIXPOINT_STORE=$work/store fixpoint --json build "$option" "$recipe" \
      >"$work/events" 2>"$work/errors"; } 2>&1) || { cat "$work/errors" >&2; exit 1; }
    grep '"type":"action-end"' "$work/events" | grep -F "\"$recipe\"" |
      sed -E "s/.*\"cpuMs\":([0-9]+).*\"durationMs\":([0-9]+).*/\1 \2/" |
      awk -v name="$name" -v recipe="$recipe" -v own="$own" -v server="$(($(server) - before))" \
        '{ split(own, cpu, " ")
        printf "%-8s %-24s steps %.2f, wall %.1f, engine %.2f, server %.2f\n",
          name, recipe, $1 / 1000, $2 / 1000, cpu[1] + cpu[2], server / 100 }'
  done
}

measure here --local 0
measure first --remote-only "$$.1"
measure again --remote-only "$$.2"
