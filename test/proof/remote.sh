#!/usr/bin/env bash
# Proves that a server for remote execution gives what this machine gives: builds a target by the
# server from layer `toolchain` up, and compares each artifact with the one that the user's store
# has. A second client then gets all of it from what the server remembers.
#   test/proof/remote.sh ADDRESS RUNNER TARGET
# ADDRESS is as in the configuration, such as grpc://127.0.0.1:8980. RUNNER is a folder with static
# node, bwrap and busybox. The user's store has TARGET, built here, and its sources.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
[ $# = 3 ] || { echo "usage: $0 ADDRESS RUNNER TARGET" >&2; exit 2; }
address=$1 runner=$(realpath "$2") target=$3
store=${FIXPOINT_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/fixpoint}
work=$(mktemp -d -p "$(dirname "$store")")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/.config/fixpoint"
printf 'remote:\n  address: %s\n  runner: %s\n' "$address" "$runner" \
  >"$work/.config/fixpoint/config.yaml"

# client NAME: builds in a store that has sources, and what host layers gave.
client() {
  cp -al "$store" "$work/$1"
  # Locks are files of the store that was copied, whose engines may hold them.
  rm -rf "$work/$1"/{locks,work}
  # An entry begins with its own recipe; further on it names those that it was made from.
  grep -LE '^\{"recipe":"bootstrap/' "$work/$1"/index/* | grep -v '\.history$' | xargs -r rm
  # In a folder of its own, where an image is put.
  (
    cd "$work"
    HOME=$work FIXPOINT_STORE=$work/$1 node "$here/dist/src/cli/main.js" --json \
      --layers "$here/layers/layers.yaml" build --remote-only "$target" >"events-$1"
  )
  results "$work/events-$1" >"$work/results-$1"
}

# Key and artifact of each action that ran.
results() {
  { grep '"type":"action-end"' "$1" || true; } |
    sed -E 's/.*"key":"([0-9a-f]+)".*"artifact":"([0-9a-f]+)".*/\1 \2/' | sort
}

client first
if [ ! -s "$work/results-first" ]; then
  echo "nothing ran: $target needs no action of a layer above bootstrap" >&2
  exit 2
fi
while read -r key artifact; do
  grep -qF "\"artifact\":\"$artifact\"" "$store/index/$key" || {
    echo "differs: key $key gave $artifact on the server" >&2
    exit 5
  }
done <"$work/results-first"
begun=$SECONDS
client second
cmp "$work/results-first" "$work/results-second"
ran=$(wc -l <"$work/results-first")
echo "$target: by the server, all as built here; the second client took $((SECONDS - begun)) s"
echo "actions that ran: $ran"
