#!/usr/bin/env bash
# Drops each declared input of some recipes in turn and builds: what fails needs it, other bytes
# would be an input that works in silence, and the same bytes mean that nothing needs it. An input
# that another one brings along stays there whatever is declared. Prints a table; fails when an
# input is not needed.
#
#   test/proof/inputs.sh [RECIPE...]    default: ten cheap ones
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- base/bzip2 base/dosfstools base/flex base/libelf base/m4 base/zlib \
  base/zstd \
  runtime/brotli runtime/bubblewrap runtime/libcap

fixpoint() {
  node "$here/dist/src/cli/main.js" --layers "$@"
}

# layers RECIPE INPUT: prints the path of layers in which the recipe lacks the input.
layers() {
  local folder
  folder=$(mktemp -d "$work/layers.XXXX")
  mkdir -p "$folder/dropped/${1#*/}"
  printf 'amends: %s\nremove:\n  inputs: [%s]\n' "$1" "$2" > "$folder/dropped/${1#*/}/amend.yaml"
  printf 'include: %s/layers/layers.yaml\nlayers: [dropped]\n' "$here" > "$folder/layers.yaml"
  echo "$folder/layers.yaml"
}

unneeded=0
echo '| recipe | without | then |'
echo '|---|---|---|'
for recipe; do
  wanted=$(fixpoint "$here/layers/layers.yaml" build "$recipe" 2>/dev/null)
  inputs=$(fixpoint "$here/layers/layers.yaml" show "$recipe" |
    node -p 'JSON.parse(fs.readFileSync(0, "utf8")).inputs.join("\n")')
  for input in $inputs; do
    if fixpoint "$(layers "$recipe" "$input")" graph "$recipe" |
      grep -xF -- "$recipe -> $input" > /dev/null; then
      then='stays: another input needs it'
    elif got=$(fixpoint "$(layers "$recipe" "$input")" build "$recipe" 2>"$work/said"); then
      if [ "$got" = "$wanted" ]; then
        then='same bytes: not needed'
        unneeded=$((unneeded + 1))
      else
        then='other bytes'
      fi
    else
      then="fails: $(grep -m 1 '^error' "$work/said" | sed 's/^error: //')"
    fi
    echo "| $recipe | $input | $then |"
  done
done
[ $unneeded = 0 ] || { echo "$unneeded inputs are not needed" >&2; exit 1; }
