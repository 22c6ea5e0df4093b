#!/usr/bin/env bash
# Kills the engine with SIGKILL in the middle of a real build, ten times at moments that seeds
# choose and once while it writes an artifact into the store, each time builds on, and compares:
# same artifacts as an undisturbed build, no process left, nothing of the killed run in the store.
#
#   test/proof/killed.sh [SEED...]    default: 1 to 10 and `write`
#
# Works on a copy (of hard links) of the store, which must hold base/m4, base/zlib and base/zstd. A
# variable that nothing reads gives the three another key for each seed, so that they are built anew
# and yet must have the same bytes.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
recipes=(base/m4 base/zlib base/zstd)
store=${FIXPOINT_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/fixpoint}
work=$(mktemp -d "$store-killed.XXXX")
trap 'rm -rf "$work"' EXIT

main() {
  [ $# -gt 0 ] || set -- 1 2 3 4 5 6 7 8 9 10 write
  for part in LAYOUT blobs index; do cp -al "$store/$part" "$work/"; done
  fixpoint "$here/layers/layers.yaml" build "${recipes[@]}" 2>/dev/null | sort > "$work/wanted"
  # Once before the clock runs: it unpacks what the builds are made with.
  build warm >/dev/null 2>&1
  local began=$EPOCHREALTIME duration
  build 0 >/dev/null 2>&1
  duration=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
  echo "undisturbed: $duration s"
  for seed; do killed "$seed" "$duration"; done
  echo "killed and built on $# times: the same artifacts, nothing left over"
}

# build SEED: prints recipes and artifacts.
build() {
  fixpoint "$(layers "$1")" build "${recipes[@]}"
}

fixpoint() {
  node "$here/dist/src/cli/main.js" --store "$work" --layers "$@"
}

# Prints the path of layers in which the recipes have the variable.
layers() {
  local folder=$work/layers-$1 recipe
  for recipe in "${recipes[@]}"; do
    mkdir -p "$folder/seed/${recipe#*/}"
    printf 'set:\n  env: { SEED: "%s" }\n' "$1" > "$folder/seed/${recipe#*/}/amend.yaml"
  done
  printf 'include: %s/layers/layers.yaml\nlayers: [seed]\n' "$here" > "$folder/layers.yaml"
  echo "$folder/layers.yaml"
}

killed() {
  local seed=$1 engine moment
  node "$here/dist/src/cli/main.js" --store "$work" --layers "$(layers "$seed")" \
    build "${recipes[@]}" >/dev/null 2>&1 &
  engine=$!
  if [ "$seed" = write ]; then
    moment='while it packs an artifact'
    until compgen -G "$work/work/*/tmp/pack.*" >/dev/null; do
      kill -0 $engine 2>/dev/null || fail "$seed: it ended before"
    done
  else
    moment=$(awk -v seed="$seed" -v most="$2" \
      'BEGIN { srand(seed); rand(); printf "%.2f", rand() * most * 0.9 }')
    sleep "$moment"
    moment="after $moment s"
  fi
  kill -KILL $engine 2>/dev/null || fail "$seed: it ended before"
  wait $engine 2>/dev/null || true
  # Ends with the engine: the kernel kills what the sandbox holds.
  for _ in $(seq 50); do pgrep -f "bwrap.*$work" >/dev/null || break; sleep 0.1; done
  ! pgrep -f "bwrap.*$work" >/dev/null || fail "$seed: killed $moment, and a sandbox lives on: $(
    ps -o pid,ppid,stat,etime,wchan,args -p "$(pgrep -d, -f "bwrap.*$work")")"
  build "$seed" 2>/dev/null | sort | cmp - "$work/wanted" || fail "$seed: other artifacts"
  fixpoint "$here/layers/layers.yaml" store verify >/dev/null || fail "$seed: the store is damaged"
  [ -z "$(cd "$work" && find work partial kept damaged -mindepth 1)" ] ||
    fail "$seed: something is left: $(ls -A "$work/work")"
  echo "seed $seed: killed $moment"
}

fail() {
  echo "$*" >&2
  exit 1
}

main "$@"
