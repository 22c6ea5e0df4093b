#!/usr/bin/env bash
# Kills the engine with SIGKILL at moments that seeds choose, in builds of 60 small actions, until it was killed 200 times.
# Each build is killed ten times and then ends: its artifacts must be those of an undisturbed build, no process of a
# sandbox may live on, the store must be sound, and nothing of the killed runs may be left in it.
#
#   test/proof/killed-toys.sh [KILLS]    default: 200
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
kills=${1:-200}
actions=60
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

main() {
  local round=0 done=0 seed=0
  graph 0
  fixpoint build "n$actions" > /dev/null 2>&1
  digests > "$work/wanted"
  while [ "$done" -lt "$kills" ]; do
    round=$((round + 1))
    # A variable that nothing reads: other keys, the same bytes.
    graph "$round"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      seed=$((seed + 1))
      if killed "$seed"; then done=$((done + 1)); else break; fi
      [ "$done" -lt "$kills" ] || break
    done
    fixpoint build "n$actions" > "$work/said" 2>&1 || fail "round $round: $(tail -n 3 "$work/said")"
    digests | cmp - "$work/wanted" || fail "round $round: other artifacts"
    fixpoint store verify > /dev/null || fail "round $round: the store is damaged"
    [ -z "$(cd "$work/store" && find work partial kept damaged -mindepth 1)" ] || fail "round $round: something is left"
  done
  echo "killed $done times in $round builds of $actions actions: the same artifacts, nothing left over"
}

# killed SEED: fails when the build ended before the moment that the seed chose.
killed() {
  local moment engine
  moment=$(awk -v seed="$1" 'BEGIN { srand(seed); rand(); printf "%.3f", rand() * 2.5 }')
  fixpoint build "n$actions" > /dev/null 2>&1 &
  engine=$!
  sleep "$moment"
  kill -KILL "$engine" 2> /dev/null || return 1
  wait "$engine" 2> /dev/null || true
  for _ in $(seq 100); do pgrep -f "bwrap.*$work" > /dev/null || return 0; sleep 0.1; done
  fail "seed $1: killed after $moment s, and a sandbox lives on"
}

fixpoint() {
  (cd "$work/tree" && exec node "$here/dist/src/cli/main.js" --store "$work/store" "$@")
}

# graph SEED: recipes of a host layer, each above two earlier ones, all below the last.
graph() {
  local layers=$work/tree/layers n inputs
  rm -rf "$layers"
  mkdir -p "$layers/machines" "$layers/styles"
  printf 'machine: x86_64\nhost-layers: [toys]\nlayers: [toys]\n' > "$layers/layers.yaml"
  echo 'arch: x86_64' > "$layers/machines/x86_64.yaml"
  printf 'name: script\nsummary: Commands\nsteps:\n  install: ":"\n' > "$layers/styles/script.yaml"
  for n in $(seq "$actions"); do
    inputs=
    [ "$n" -lt 4 ] || inputs="inputs: [toys/n$((n / 2)), toys/n$((n - 1))]"
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
