#!/usr/bin/env bash
# Proves that a cache stands in for a build: pushes the results of a target from the user's store to
# nginx on the loopback, and builds the target by a copy of this checkout at another path, from an
# empty store, as another user if this one is root. Nothing may run there but host layers, and the
# artifact must be the same. Prints what ran, the time, the requests and the bytes.
#   test/proof/cache.sh TARGET
# The user's store has TARGET, built here. nginx is the one that .ci/servers unpacks.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
[ $# = 1 ] || { echo "usage: $0 TARGET" >&2; exit 2; }
target=$1
nginx=${FIXPOINT_NGINX:-$HOME/.cache/fixpoint-nginx}
user=54321
work=$(mktemp -d -p "${FIXPOINT_PROOF:-/var/tmp}")
trap 'stop; rm -rf "$work"' EXIT

main() {
  chmod 755 "$work"
  fixpoint() { node "$here/dist/src/cli/main.js" --layers "$here/layers/layers.yaml" "$@"; }
  serve
  mkdir -p "$work/ci/.config/fixpoint"
  local signer
  signer=$(fixpoint cache keygen "$work/ci-1.key")
  printf 'cache:\n  write: %s\n  key: %s\n' "$address" "$work/ci-1.key" \
    >"$work/ci/.config/fixpoint/config.yaml"
  export FIXPOINT_STORE=${FIXPOINT_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/fixpoint}
  cd "$work"
  HOME=$work/ci fixpoint --json build --no-cache "$target" >"$work/events-wanted"
  HOME=$work/ci fixpoint cache push "$target"
  : >"$work/access.log"

  mkdir -p "$work/another place/home/.config/fixpoint"
  printf "cache:\n  read: ['%s']\n  keys: ['%s']\n" "$address" "$signer" \
    >"$work/another place/home/.config/fixpoint/config.yaml"
  tar -c -C "$here" --exclude=./.git --exclude=./out . |
    tar -x -C "$work/another place" --one-top-level=checkout
  cd "$work/another place/checkout"
  local begun=$SECONDS
  local store="$work/another place/store"
  as_another node dist/src/cli/main.js --json --store "$store" build "$target" >"$work/events"
  local took=$((SECONDS - begun))
  local wanted got ran
  wanted=$(artifact "$work/events-wanted") got=$(artifact "$work/events")
  if [ "${wanted:?}" != "$got" ]; then echo "differs: $wanted, $got" >&2; exit 5; fi
  ran=$(sed -nE 's/.*"type":"action-end".*"recipe":"([^"]+)".*/\1/p' "$work/events")
  if grep -v '^bootstrap/' <<<"$ran" | grep .; then
    echo 'these were built again' >&2
    exit 5
  fi
  echo "$target $got: the same, in $took s"
  echo "$(grep -c . <<<"$ran" || true) actions of host layers ran"
  awk '{ requests++; bytes += $2 } END { print requests " requests, " bytes " bytes" }' \
    "$work/access.log"
}

# Digest of the target's artifact.
artifact() { sed -nE 's/.*"type":"target".*"artifact":"([0-9a-f]{64})".*/\1/p' "$1"; }

as_another() {
  local conditions=(env -i PATH="$PATH" HOME="$work/another place/home")
  if [ "$(id -u)" = 0 ]; then
    chown -R "$user:$user" "$work/another place"
    conditions=(setpriv --reuid "$user" --regid "$user" --clear-groups "${conditions[@]}")
  fi
  "${conditions[@]}" "$@"
}

# Anyone on this machine may write, for as long as this runs: only the key decides what is believed.
serve() {
  local port
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(s.address().port); s.close() })')
  address=http://127.0.0.1:$port
  mkdir "$work/served"
  {
    [ "$(id -u)" != 0 ] || echo 'user root;'
    echo "pid $work/pid; events {} http {"
    echo "log_format short '\$status \$body_bytes_sent \$request';"
    echo "access_log $work/access.log short; client_max_body_size 0;"
    for kind in client_body proxy fastcgi uwsgi scgi; do
      echo "${kind}_temp_path $work/$kind;"
    done
    echo "server { listen 127.0.0.1:$port; root $work/served;"
    echo 'location / { dav_methods PUT; create_full_put_path on; } } }'
  } >"$work/nginx.conf"
  local libraries=$nginx/usr/lib/x86_64-linux-gnu
  "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$nginx/usr/sbin/nginx" \
    -p "$work" -c "$work/nginx.conf" -e "$work/error.log"
}

stop() { [ ! -e "$work/pid" ] || kill "$(cat "$work/pid")"; }

main
