#!/bin/sh
# Interrupts `archive create` as Ctrl-C does, in each part of its work. Each time it must end with
# status 130 and leave nothing. Then it runs to its end, and the kit must be whole.
#
#   test/proof/kit-interrupted.sh IMAGE [FOLDER]
set -eu
image=$1
main=$(dirname "$0")/../../dist/src/cli/main.js
work=$(mktemp -d "${2:-${TMPDIR:-/tmp}}/fixpoint-kit-XXXXXX")
trap 'rm -rf "$work"' EXIT

for part in 'copy images' 'make parity' 'read everything'; do
  mkfifo "$work/said"
  node "$main" archive create "$work/kit" "$image" >/dev/null 2>"$work/said" &
  engine=$!
  # Ends with the engine.
  while IFS= read -r line; do
    case $line in
      "$part"*) sleep 2 && kill -INT "$engine" ;;
    esac
  done <"$work/said"
  status=0
  wait "$engine" || status=$?
  rm "$work/said"
  left=$(ls -A "$work")
  if [ "$status" != 130 ] || [ -n "$left" ]; then
    echo "at \"$part\": status $status, left: $left" >&2
    exit 1
  fi
  echo "interrupted at \"$part\": nothing is left"
done
node "$main" archive create "$work/kit" "$image"
sh "$work/kit/verify.sh"
