#!/usr/bin/env bash
# Runs the unit tests under a Node of one's choice, such as that of an image: vitest itself loads
# machine code, which a static Node cannot.
#
#   test/proof/own-node.sh [NODE]     default: the one that recipe runtime/node made, from the store
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

node=${1:-}
if [ -z "$node" ]; then
  artifact=$(node_modules/.bin/fixpoint build runtime/node | cut -d' ' -f2)
  store=${FIXPOINT_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/fixpoint}
  # Not its tree, which is unpacked only when a build needs it.
  tar -xf "$store/blobs/${artifact:0:2}/$artifact" -C "$work" usr/bin/node
  node=$work/usr/bin/node
fi

# A copy, with each file's JavaScript beside it: tests look for recipes and documents from where
# they lie.
cp -R .ci .dependency-cruiser.cjs LICENSE appliance docs layers package.json package-lock.json \
  qemu src test tsconfig.json tsconfig.build.json ./*.md Makefile "$work"
ln -s "$PWD/node_modules" "$work/node_modules"
mkdir "$work/dist"
echo '{ "extends": "../tsconfig.json",
  "include": ["../src", "../qemu", "../test"], "exclude": ["../node_modules"],
  "compilerOptions": { "noEmit": false, "noCheck": true, "rootDir": "..", "outDir": ".." } }' \
  > "$work/dist/tsconfig.json"
node_modules/.bin/tsc -p "$work/dist/tsconfig.json"
"$node" "$work/test/proof/own-node/main.js"
